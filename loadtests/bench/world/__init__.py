"""The synthetic data set ("world"): two Parquet files that depend only on the scale, the seed and the version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtests.bench.world.events import write_events
from loadtests.bench.world.habits import Habits
from loadtests.bench.world.people import write_people

SEED = 20250701
# Incremented whenever the same seed produces another data set.
VERSION = 1
# Midnight in UTC, so that engines that store days can use them for windows; 08:00 in the time zone of the workspace.
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
AS_OF_MS = int(AS_OF.timestamp() * 1000)

# A callback with (rows done, all rows).
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Scale:
    name: str
    people: int
    events: int
    # True: answers are compared person by person. False: by counts only.
    by_person: bool
    # How long events stream in during the measurement of freshness.
    stream_seconds: int


SCALES = {
    scale.name: scale
    for scale in (
        Scale("tiny", 20_000, 200_000, by_person=True, stream_seconds=1),
        Scale("small", 1_000_000, 10_000_000, by_person=True, stream_seconds=5),
        Scale("full", 10_000_000, 100_000_000, by_person=False, stream_seconds=20),
        # Shows how rules on attributes scale: ten times the people with the same number of events.
        Scale("wide", 100_000_000, 100_000_000, by_person=False, stream_seconds=20),
    )
}


@dataclass(frozen=True, slots=True)
class World:
    """The files of a data set. `people` has one row for each person, `events` one for each event, ordered by time."""

    scale: Scale
    folder: Path

    @property
    def people(self) -> Path:
        return self.folder / "people.parquet"

    @property
    def events(self) -> Path:
        return self.folder / "events.parquet"


def prepare(scale: Scale, folder: Path, watch: Watch) -> World:
    """Returns the data set in `folder`. Creates it if it is missing."""
    world = World(scale, folder)
    if not world.events.exists():
        folder.mkdir(parents=True, exist_ok=True)
        habits = Habits.of(scale.people, SEED)
        write_people(world.people, habits, AS_OF_MS, SEED)
        unfinished = world.events.with_suffix(".unfinished")
        write_events(unfinished, habits, scale.events, AS_OF_MS, SEED, watch)
        unfinished.rename(world.events)
    return world
