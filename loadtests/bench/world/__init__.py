"""The world that everybody is asked about: two Parquet files, the same for the same scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtests.bench.world.events import write_events
from loadtests.bench.world.habits import Habits
from loadtests.bench.world.people import write_people

SEED = 20250701
# Changes whenever the same seed makes another world.
VERSION = 1
# Midnight in UTC, so that engines which keep days can answer windows from them; 08:00 in the workspace's zone.
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
AS_OF_MS = int(AS_OF.timestamp() * 1000)

# Called with (rows done, rows in all).
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Scale:
    name: str
    people: int
    events: int
    # Answers are compared person by person; else by their counts.
    by_person: bool
    # How long events stream in while freshness is measured.
    stream_seconds: int


SCALES = {
    scale.name: scale
    for scale in (
        Scale("tiny", 20_000, 200_000, by_person=True, stream_seconds=1),
        Scale("small", 1_000_000, 10_000_000, by_person=True, stream_seconds=5),
        Scale("full", 10_000_000, 100_000_000, by_person=False, stream_seconds=20),
        # For the growth of rules on attributes: more people, not more events.
        Scale("wide", 100_000_000, 100_000_000, by_person=False, stream_seconds=20),
    )
}


@dataclass(frozen=True, slots=True)
class World:
    """Where its files are. `people` has a row a person, `events` a row an event in order of time."""

    scale: Scale
    folder: Path

    @property
    def people(self) -> Path:
        return self.folder / "people.parquet"

    @property
    def events(self) -> Path:
        return self.folder / "events.parquet"


def prepare(scale: Scale, folder: Path, watch: Watch) -> World:
    """Written to `folder` unless it is there already."""
    world = World(scale, folder)
    if not world.events.exists():
        folder.mkdir(parents=True, exist_ok=True)
        habits = Habits.of(scale.people, SEED)
        write_people(world.people, habits, AS_OF_MS, SEED)
        unfinished = world.events.with_suffix(".unfinished")
        write_events(unfinished, habits, scale.events, AS_OF_MS, SEED, watch)
        unfinished.rename(world.events)
    return world
