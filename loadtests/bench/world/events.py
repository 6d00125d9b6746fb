"""Generates half a year of events, day by day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from loadtests.bench.world.habits import CHANNELS, STORES, TYPES, Habits, Whole, skewed, zipf

DAYS = 180
CATEGORIES = (
    "coffee",
    "tea",
    "noodles",
    "rice",
    "snack",
    "dessert",
    "salad",
    "breakfast",
    "juice",
    "soup",
    "wine",
    "gift",
)

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
# The share of each hour after midnight in UTC, which is 08:00 at the shops.
_HOURS = np.cumsum([6, 4, 5, 14, 20, 13, 6, 5, 5, 9, 17, 15, 10, 6, 4, 2, 1, 0.5, 0.4, 0.4, 0.4, 0.6, 2, 4])
# The weight of each day from Monday to Sunday.
_WEEKDAYS = np.array([0.93, 0.92, 0.94, 0.98, 1.06, 1.12, 1.05])
_CATEGORIES = zipf(len(CATEGORIES), 1.5)
_STORES = zipf(STORES, 20.0)
# Shifts the ranks: with `people / 1000` added to the rank, the most active people do not dominate.
_SHIFT = 1_000
_ORDER, _REFUND = TYPES.index("order"), TYPES.index("refund")


def write_events(
    path: Path, habits: Habits, events: int, as_of_ms: int, seed: int, watch: Callable[[int, int], None]
) -> None:
    """Writes the events. Columns: person, type, occurred_at, channel, amount, store, category.

    Orders have an amount, a store and a category; refunds have an amount.
    Each of the last DAYS people only orders once, exactly at the start of a day: they lie on the edges of windows.
    """
    start_ms = as_of_ms - DAYS * _DAY_MS
    counts = _counts(events, start_ms)
    written = 0
    with pq.ParquetWriter(path, _SCHEMA, store_decimal_as_integer=True) as writer:
        for day, count in enumerate(counts):
            random = np.random.default_rng([seed, 2, day])
            writer.write_table(_day(habits, day, count, start_ms + day * _DAY_MS, random))
            written += count
            watch(written, events)


_SCHEMA = pa.schema(
    [
        ("person", pa.uint32()),
        ("type", pa.dictionary(pa.int8(), pa.string())),
        ("occurred_at", pa.timestamp("ms", tz="UTC")),
        ("channel", pa.dictionary(pa.int8(), pa.string())),
        ("amount", pa.decimal128(9, 2)),
        ("store", pa.uint16()),
        ("category", pa.dictionary(pa.int8(), pa.string())),
    ]
)


def _counts(events: int, start_ms: int) -> list[int]:
    """Returns the number of events of each day, weighted by the day of the week."""
    first = start_ms // _DAY_MS
    # 1 January 1970 was a Thursday.
    weights = _WEEKDAYS[(first + 3 + np.arange(DAYS)) % 7]
    ends = np.round(np.cumsum(weights) / weights.sum() * events).astype(int)
    return [int(count) for count in np.diff(ends, prepend=0)]


def _day(habits: Habits, day: int, count: int, start_ms: int, random: np.random.Generator) -> pa.Table:
    hour = skewed(random, _HOURS / _HOURS[-1], count)
    at = np.sort(start_ms + hour * _HOUR_MS + random.integers(0, _HOUR_MS, count))
    person = _people(len(habits) - DAYS, count, random)
    kind = habits.types(person, random)
    channel = habits.channels(person, kind, random)
    at[0], person[0], kind[0], channel[0] = start_ms, len(habits) - DAYS + day, _ORDER, 0
    ordered = kind == _ORDER
    at_home = random.random(count) < 0.6
    store = np.where(at_home, habits.home_store[person], skewed(random, _STORES, count)).astype(np.uint16)
    cents = np.clip(np.round(random.lognormal(8.0, 0.7, count)), 100, 99_999_999).astype(np.int64)
    columns = [
        pa.array(person.astype(np.uint32)),
        _named(TYPES, kind),
        pa.array(at).cast(pa.timestamp("ms", tz="UTC")),
        _named(CHANNELS, channel),
        _money(cents, ordered | (kind == _REFUND)),
        pa.array(store, mask=~ordered),
        _named(CATEGORIES, skewed(random, _CATEGORIES, count), ~ordered),
    ]
    return pa.table(columns, schema=_SCHEMA)


def _people(people: int, count: int, random: np.random.Generator) -> Whole:
    """Draws numbers below `people`. Activity is proportional to 1 / (rank + people / 1000); ranks are scattered."""
    drawn = people / _SHIFT * (np.power(_SHIFT + 1.0, random.random(count)) - 1)
    rank: Whole = np.minimum(drawn.astype(np.int64), people - 1)
    return np.mod(rank * _prime_to(people) + 12_345, people)


def _prime_to(people: int) -> int:
    """Returns a factor that scatters ranks without collisions."""
    factor = int(people * 0.618) | 1
    while np.gcd(factor, people) != 1:
        factor += 2
    return factor


def _named(names: tuple[str, ...], index: npt.NDArray[Any], absent: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int8), mask=absent), pa.array(names))


def _money(cents: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> pa.Array:
    """Returns decimals with two digits; null where `known` is false."""
    words = np.zeros((len(cents), 2), dtype="<i8")
    words[:, 0] = cents
    validity = np.packbits(known, bitorder="little")
    buffers = [pa.py_buffer(validity), pa.py_buffer(words)]
    return pa.Array.from_buffers(pa.decimal128(9, 2), len(cents), buffers)
