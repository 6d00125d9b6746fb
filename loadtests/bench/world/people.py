"""Generates the attributes of people: one row for each person, ordered by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from loadtests.bench.world.habits import Habits, skewed, zipf

CITIES = tuple(f"city-{number:03}" for number in range(300))
LEVELS = ("bronze", "silver", "gold", "platinum")
GENDERS = ("female", "male")
TASTES = ("spicy", "sweet", "light", "vegan", "sour", "raw", "smoked", "iced")

_ROWS = 1_000_000
_CITY_SHARES = zipf(len(CITIES), 5.0)
_LEVEL_SHARES = np.array([0.62, 0.86, 0.96, 1.0])
_TASTE_SHARES = np.array([0.35, 0.30, 0.20, 0.08, 0.12, 0.06, 0.05, 0.15])
_DAY_MS = 86_400_000
_FIRST_BIRTHDAY = np.datetime64("1955-01-01", "D")
_BIRTHDAYS = 51 * 365
_SIGNUP_DAYS = 7 * 365


def write_people(path: Path, habits: Habits, as_of_ms: int, seed: int) -> None:
    """Writes the people. Columns: number, city, level, gender, birthday, signup_at, tastes, score.

    All columns except the number have nulls.
    """
    starts = range(0, len(habits), _ROWS)
    tables = (_people(start, min(_ROWS, len(habits) - start), as_of_ms, seed) for start in starts)
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _people(start: int, count: int, as_of_ms: int, seed: int) -> pa.Table:
    random = np.random.default_rng([seed, 1, start])
    # Most people signed up recently.
    signed_up = as_of_ms - (random.random(count) ** 2 * _SIGNUP_DAYS * _DAY_MS).astype(np.int64) - 1
    born = _FIRST_BIRTHDAY + random.integers(0, _BIRTHDAYS, count)
    return pa.table(
        {
            "number": pa.array(np.arange(start, start + count, dtype=np.uint32)),
            "city": _chosen(CITIES, skewed(random, _CITY_SHARES, count), random.random(count) < 0.92),
            "level": _chosen(LEVELS, skewed(random, _LEVEL_SHARES, count), random.random(count) < 0.95),
            "gender": _chosen(GENDERS, skewed(random, np.array([0.56, 1.0]), count), random.random(count) < 0.9),
            "birthday": pa.array(born, mask=random.random(count) < 0.3),
            "signup_at": pa.array(signed_up, mask=random.random(count) < 0.05).cast(pa.timestamp("ms", tz="UTC")),
            "tastes": _sets(random.random((count, len(TASTES))) < _TASTE_SHARES, random.random(count) < 0.6),
            "score": pa.array(np.round(random.beta(2.0, 3.0, count) * 100, 1), mask=random.random(count) < 0.2),
        }
    )


def _chosen(names: tuple[str, ...], index: npt.NDArray[np.integer], known: npt.NDArray[np.bool_]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=~known), pa.array(names))


def _sets(chosen: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> pa.Array:
    """Returns a list of the chosen tastes for each row; null where `known` is false."""
    rows, items = np.nonzero(chosen & known[:, None])
    starts = np.searchsorted(rows, np.arange(len(chosen) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(starts), pa.array(TASTES).take(pa.array(items)), mask=pa.array(~known))
