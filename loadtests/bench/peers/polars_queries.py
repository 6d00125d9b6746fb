"""The queries in Polars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

_AS_OF = datetime(2025, 7, 1)
_30D_AGO, _90D_AGO, _7D_AGO = datetime(2025, 6, 1), datetime(2025, 4, 2), datetime(2025, 6, 24)
_CITIES = ["city-000", "city-001", "city-002", "city-003"]
# The bits of pos and miniapp, and of spicy and vegan.
_CHANNELS, _TASTES = 3, 9
_TOUCHED = ("order", "scan")
# The first instant of the data set, and a number of milliseconds that exceeds its duration plus one week.
_FIRST, _MS_A_PERSON = datetime(2025, 1, 2), 1 << 35


@dataclass(frozen=True, slots=True)
class Frames:
    """The tables. `events` is sorted by type, person and time; `of` has the slice of each type, by person and time."""

    people: pl.LazyFrame
    events: pl.LazyFrame
    of: dict[str, pl.LazyFrame]
    segments: pl.LazyFrame


def _between(start: datetime, end: datetime) -> pl.Expr:
    return (pl.col("ts") >= start) & (pl.col("ts") < end)


_IN_30D, _IN_90D, _IN_7D = (_between(start, _AS_OF) for start in (_30D_AGO, _90D_AGO, _7D_AGO))


def _at_least(count: int, events: pl.LazyFrame) -> pl.LazyFrame:
    return events.group_by("person").len().filter(pl.col("len") >= count)


# The slice of a type is sorted by person and time, so grouping it is sequential. Results of several types are joined.


def _quiet(frames: Frames) -> pl.LazyFrame:
    last = pl.concat([frames.of[kind].group_by("person").agg(pl.col("ts").last()) for kind in _TOUCHED])
    quiet = last.group_by("person").agg(pl.col("ts").max()).filter(pl.col("ts") < _30D_AGO)
    in_channel = pl.col("channel").is_in(["pos", "miniapp"])
    seen = pl.concat([events.filter(in_channel).group_by("person").len() for events in frames.of.values()])
    return quiet.join(seen, on="person", how="semi")


def _activity_30d(frames: Frames) -> pl.LazyFrame:
    counts = pl.concat([events.filter(_IN_30D).group_by("person").len() for events in frames.of.values()])
    return counts.group_by("person").agg(pl.col("len").sum()).filter(pl.col("len") >= 2)


def _quiet_kept(frames: Frames) -> pl.LazyFrame:
    return frames.people.filter((pl.col("last_touch") < _30D_AGO) & (pl.col("channels") & _CHANNELS != 0))


def _profile(frames: Frames) -> pl.LazyFrame:
    return frames.people.filter(
        pl.col("city").is_in(_CITIES)
        & (pl.col("level") >= "silver")
        & (pl.col("gender") == "female")
        & (pl.col("tastes") & _TASTES != 0)
        & (pl.col("score") >= 40)
    )


def _five_clauses(frames: Frames) -> pl.LazyFrame:
    return _quiet_kept(frames).filter(
        pl.col("city").is_in(_CITIES)
        & (pl.col("level") >= "silver")
        & (pl.col("birthday") < datetime(1990, 1, 1).date())
    )


def _delivery(frames: Frames) -> pl.LazyFrame:
    orders = frames.of["order"]
    spent = orders.filter((pl.col("channel") == "delivery") & _IN_90D).group_by("person").agg(pl.col("cents").sum())
    return spent.filter(pl.col("cents") > 10_000).join(orders.filter(_IN_7D), on="person", how="anti")


def _browsed_only(frames: Frames) -> pl.LazyFrame:
    browsed = frames.of["browse"].filter(_IN_30D).select("person").unique()
    return browsed.join(frames.of["order"].filter(_IN_30D), on="person", how="anti")


def _spent(frames: Frames) -> pl.LazyFrame:
    return frames.of["order"].group_by("person").agg(pl.col("cents").sum())


def _first_order(frames: Frames) -> pl.LazyFrame:
    # The orders of a person are sorted by time.
    return frames.of["order"].group_by("person").agg(pl.col("ts").first()).filter(_IN_7D)


def _coffee(frames: Frames) -> pl.LazyFrame:
    bought = (pl.col("category") == "coffee") & pl.col("store").is_in([0, 1, 2])
    return _at_least(2, frames.of["order"].filter(bought & _IN_90D))


def _stores(frames: Frames) -> pl.LazyFrame:
    stores = frames.of["order"].filter(_IN_90D).group_by("person").agg(pl.col("store").n_unique())
    return stores.filter(pl.col("store") >= 3)


def _funnel(frames: Frames) -> pl.LazyFrame:
    """Combines person and time in one sorted number, so that a join by that number stays within one person."""
    person_and_ms = pl.col("person").cast(pl.Int64) * _MS_A_PERSON + (pl.col("ts") - _FIRST).dt.total_milliseconds()
    browses = frames.of["browse"].select(at=person_and_ms.set_sorted()).with_columns(browsed="at")
    orders = (
        frames.of["order"]
        .select("person", at=person_and_ms.set_sorted())
        .join_asof(browses, on="at", strategy="backward", allow_exact_matches=False, tolerance=7 * 86_400_000)
    )
    return orders.filter(pl.col("browsed").is_not_null()).select(pl.col("person").set_sorted().unique())


def _top_spenders(frames: Frames) -> pl.LazyFrame:
    # Of n people, the (n + 9) // 10 th largest total is the smallest one inside.
    total = pl.col("cents")
    return _spent(frames).filter(total >= total.sort(descending=True).get((pl.len() + 9) // 10 - 1))


def _full(frames: Frames) -> pl.LazyFrame:
    cities = frames.people.filter(pl.col("city").is_in(_CITIES)).select("person")
    events = frames.events.join(cities, on="person", how="semi")
    found = events.group_by("person").agg(
        touched=pl.col("ts").filter(pl.col("kind").is_in(_TOUCHED)).max(),
        seen=pl.col("channel").is_in(["pos", "miniapp"]).any(),
        active=_IN_30D.sum(),
    )
    return found.filter((pl.col("touched") < _30D_AGO) & pl.col("seen") & (pl.col("active") >= 2))


def _full_kept(frames: Frames) -> pl.LazyFrame:
    return _quiet_kept(frames).filter(pl.col("city").is_in(_CITIES) & (pl.col("activity_30d") >= 2))


def _candidates(frames: Frames) -> pl.LazyFrame:
    """Returns, for each segment, the people of its city and levels."""
    pairs = frames.people.join(frames.segments, on="city")
    return pairs.filter(pl.col("level").to_physical() >= pl.col("least_level"))


_IS_IN = (pl.col("last_touch") < pl.col("touched_before")) & (pl.col("channels") & pl.col("in_channels") != 0)
_WAS_IN = (pl.col("last_touch_before") < pl.col("touched_before_then")) & (
    pl.col("channels_before") & pl.col("in_channels") != 0
)


def _segments(frames: Frames) -> pl.LazyFrame:
    return _candidates(frames).filter(_IS_IN).select("person", part="number")


def _changes(frames: Frames) -> pl.LazyFrame:
    both = _candidates(frames).select("person", "number", now=_IS_IN.fill_null(False), was=_WAS_IN.fill_null(False))
    return both.filter(pl.col("now") != pl.col("was")).select("person", part=2 * pl.col("number") + pl.col("was"))


WHO: dict[str, Callable[[Frames], pl.LazyFrame]] = {
    "quiet": _quiet,
    "quiet_kept": _quiet_kept,
    "profile": _profile,
    "five_clauses": _five_clauses,
    "orders_30d": lambda frames: _at_least(2, frames.of["order"].filter(_IN_30D)),
    "activity_30d": _activity_30d,
    "delivery": _delivery,
    "browsed_only": _browsed_only,
    "count_ever": lambda frames: _at_least(10, frames.of["order"]),
    "sum_ever": lambda frames: _spent(frames).filter(pl.col("cents") > 50_000),
    "first_order": _first_order,
    "coffee": _coffee,
    "stores": _stores,
    "funnel": _funnel,
    "top_spenders": _top_spenders,
    "full": _full,
    "full_kept": _full_kept,
    "segments": _segments,
    "changes": _changes,
    "export": lambda frames: frames.people.filter(pl.col("gender") == "female"),
}
