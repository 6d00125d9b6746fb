"""Polars: data frames in memory, with events sorted by type, person and time, enums, and money in cents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyroaring

from loadtests.bench.peers.polars_queries import WHO, Frames
from loadtests.bench.questions import SEGMENTS, Question
from loadtests.bench.system import NotAnswered, People
from loadtests.bench.world import Watch, World
from loadtests.bench.world.events import CATEGORIES
from loadtests.bench.world.habits import CHANNELS, TYPES
from loadtests.bench.world.people import CITIES, GENDERS, LEVELS, TASTES

_AS_OF, _A_DAY_BEFORE = datetime(2025, 7, 1), datetime(2025, 6, 30)


class Polars:
    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._events = {kind: folder / f"{kind}.arrow" for kind in TYPES}
        self._attributes, self._people = folder / "attributes.arrow", folder / "people.arrow"

    def load(self, watch: Watch) -> None:
        columns = (
            pl.col("type").cast(pl.Enum(TYPES)).alias("kind"),
            "person",
            pl.col("occurred_at").dt.replace_time_zone(None).alias("ts"),
            pl.col("channel").cast(pl.Enum(CHANNELS)),
            (pl.col("amount") * 100).cast(pl.Int32).alias("cents"),
            "store",
            pl.col("category").cast(pl.Enum(CATEGORIES)),
        )
        events = pl.scan_parquet(self._world.events).select(columns).collect()
        # Sorts one type at a time, which takes less memory than sorting all events at once.
        for kind in TYPES:
            events.filter(kind=kind).sort("person", "ts").write_ipc(self._events[kind])
        attributes = pl.scan_parquet(self._world.people).select(
            pl.col("number").alias("person"),
            pl.col("city").cast(pl.Enum(CITIES)),
            pl.col("level").cast(pl.Enum(LEVELS)),
            pl.col("gender").cast(pl.Enum(GENDERS)),
            "birthday",
            pl.col("signup_at").dt.replace_time_zone(None),
            pl.sum_horizontal(pl.col("tastes").list.contains(t) * (1 << bit) for bit, t in enumerate(TASTES))
            .cast(pl.UInt8)
            .alias("tastes"),
            "score",
        )
        attributes.collect().write_ipc(self._attributes)
        watch(self._world.scale.events, self._world.scale.events)

    def maintain(self) -> None:
        events = pl.concat([pl.scan_ipc(file) for file in self._events.values()])
        before = pl.col("ts") < _A_DAY_BEFORE
        touch = pl.col("kind").is_in(["order", "scan"])
        bit = pl.lit(1, pl.UInt8) * 2 ** pl.col("channel").to_physical()
        kept = events.group_by("person").agg(
            last_touch=pl.col("ts").filter(touch).max(),
            last_touch_before=pl.col("ts").filter(touch & before).max(),
            channels=bit.cast(pl.UInt8).bitwise_or(),
            channels_before=bit.cast(pl.UInt8).filter(before).bitwise_or(),
            activity_30d=(pl.col("ts") >= _AS_OF - timedelta(days=30)).sum(),
        )
        filled = pl.col("channels", "channels_before", "activity_30d").fill_null(0)
        people = pl.scan_ipc(self._attributes).join(kept, on="person", how="left").with_columns(filled)
        people.sort("person").collect().write_ipc(self._people)
        self._attributes.unlink()

    def open(self) -> None:
        people = pl.read_ipc(self._people).rechunk().with_columns(pl.col("person").set_sorted())
        read = {kind: pl.read_ipc(file) for kind, file in self._events.items()}
        events = pl.concat(list(read.values()), rechunk=True)
        of, start = {}, 0
        for kind, frame in read.items():
            of[kind] = events.slice(start, frame.height).with_columns(pl.col("person").set_sorted()).lazy()
            start += frame.height
        self._frames = Frames(people.lazy(), events.lazy(), of, _segments().lazy())

    def ask(self, question: Question) -> list[int]:
        people = self._who(question)
        if question.shape == "people":
            return [people.select(pl.len()).collect().item()]
        if question.shape == "bytes":
            bitmap = pyroaring.BitMap(people.select("person").collect()["person"].to_numpy())
            bitmap.serialize()
            return [len(bitmap)]
        counted = people.group_by("part").len().collect()
        counts = np.zeros(question.parts, dtype=np.int64)
        counts[counted["part"].to_numpy()] = counted["len"].to_numpy()
        return [int(n) for n in counts]

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        people = self._who(question)
        chosen = [people if question.parts == 1 else people.filter(pl.col("part") == part) for part in parts]
        return [np.sort(frame.select("person").collect()["person"].to_numpy()) for frame in chosen]

    def _who(self, question: Question) -> pl.LazyFrame:
        if question.name not in WHO:
            raise NotAnswered("no query")
        return WHO[question.name](self._frames)


def _segments() -> pl.DataFrame:
    """Returns one row for each segment, with channels as bits and levels as ranks."""
    return pl.DataFrame(
        {
            "number": pl.Series(range(len(SEGMENTS)), dtype=pl.UInt16),
            "touched_before": [_AS_OF - timedelta(days=s.days) for s in SEGMENTS],
            "touched_before_then": [_A_DAY_BEFORE - timedelta(days=s.days) for s in SEGMENTS],
            "in_channels": pl.Series([1 << CHANNELS.index(s.channel) for s in SEGMENTS], dtype=pl.UInt8),
            "city": pl.Series([s.city for s in SEGMENTS], dtype=pl.Enum(CITIES)),
            "least_level": pl.Series([LEVELS.index(s.level) for s in SEGMENTS], dtype=pl.UInt8),
        }
    )
