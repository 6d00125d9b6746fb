"""DuckDB: a database file with events sorted by type, person and time, enums and exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy.typing as npt
import pyroaring

from loadtests.bench.peers import duckdb_queries
from loadtests.bench.peers.sql import SEGMENT_VALUES, SqlEngine
from loadtests.bench.system import THREADS
from loadtests.bench.world import Watch, World
from loadtests.bench.world.events import CATEGORIES
from loadtests.bench.world.habits import CHANNELS, TYPES
from loadtests.bench.world.people import CITIES, GENDERS, LEVELS, TASTES

_ENUMS: dict[str, Sequence[str]] = {
    "kind": TYPES,
    "channel": CHANNELS,
    "category": CATEGORIES,
    "city": CITIES,
    "level": LEVELS,
    "gender": GENDERS,
}
_EVENTS = """
CREATE TABLE events AS
SELECT type::kind AS kind, person, occurred_at::TIMESTAMP AS ts, channel::channel AS channel, amount, store,
       category::category AS category
FROM read_parquet(?) ORDER BY kind, person, ts
"""
_ATTRIBUTES = f"""
CREATE TABLE attributes AS
SELECT number AS person, city::city AS city, level::level AS level, gender::gender AS gender, birthday,
       signup_at::TIMESTAMP AS signup_at,
       coalesce(list_sum([1 << (list_position({list(TASTES)}, taste) - 1) FOR taste IN tastes]), 0)::UTINYINT AS tastes,
       score
FROM read_parquet(?) ORDER BY number
"""
_PEOPLE = """
CREATE TABLE people AS
WITH touched AS (
    SELECT person, max(ts) AS last_touch, max(ts) FILTER (ts < '2025-06-30') AS last_touch_before
    FROM events WHERE kind IN ('order', 'scan') GROUP BY person
), seen AS (
    SELECT person, bit_or(1 << enum_code(channel)::INTEGER) AS channels,
           bit_or(1 << enum_code(channel)::INTEGER) FILTER (ts < '2025-06-30') AS channels_before,
           count(*) FILTER (ts >= '2025-06-01') AS activity_30d
    FROM events GROUP BY person
)
SELECT attributes.*, last_touch, last_touch_before, coalesce(channels, 0)::UTINYINT AS channels,
       coalesce(channels_before, 0)::UTINYINT AS channels_before, coalesce(activity_30d, 0)::UINTEGER AS activity_30d
FROM attributes LEFT JOIN touched USING (person) LEFT JOIN seen USING (person) ORDER BY person
"""
_SEGMENTS = """
CREATE TABLE segments (
    number USMALLINT, touched_before TIMESTAMP, touched_before_then TIMESTAMP, channels UTINYINT, city city, level level
)
"""


class DuckDB(SqlEngine):
    WHO = duckdb_queries.WHO

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._file = folder / "world.duckdb"

    def load(self, watch: Watch) -> None:
        self.open()
        for name, values in _ENUMS.items():
            self._connection.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(map(repr, values))})")
        self._connection.execute(_ATTRIBUTES, [str(self._world.people)])
        self._connection.execute(_EVENTS, [str(self._world.events)])
        watch(self._world.scale.events, self._world.scale.events)

    def maintain(self) -> None:
        self._connection.execute(_PEOPLE)
        self._connection.execute("DROP TABLE attributes")
        self._connection.execute(_SEGMENTS)
        self._connection.execute(f"INSERT INTO segments VALUES {SEGMENT_VALUES}")
        self._connection.close()

    def open(self) -> None:
        self._connection = duckdb.connect(str(self._file), config={"threads": str(THREADS)})

    def _columns(self, sql: str) -> tuple[npt.NDArray[Any], ...]:
        return tuple(self._connection.execute(sql).fetchnumpy().values())

    def _roaring(self, sql: str) -> tuple[bytes, int]:
        (persons,) = self._columns(sql)
        people = pyroaring.BitMap(persons)
        return people.serialize(), len(people)
