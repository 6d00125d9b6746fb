"""ClickHouse (chdb): MergeTree tables by month, ordered by type, person and time; maintained sets as bitmaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyroaring
from chdb.session import Session

from loadtests.bench.peers import clickhouse_queries
from loadtests.bench.peers.sql import SEGMENT_VALUES, SqlEngine
from loadtests.bench.questions import Question
from loadtests.bench.system import THREADS
from loadtests.bench.world import Watch, World
from loadtests.bench.world.events import DAYS
from loadtests.bench.world.habits import CHANNELS
from loadtests.bench.world.people import LEVELS, TASTES

_INSTANT = "DateTime64(3, 'UTC')"
# Deletes the parts that a merge has replaced at once instead of after some minutes.
_TIDY = (
    "SETTINGS old_parts_lifetime = 0, cleanup_delay_period = 0, cleanup_delay_period_random_add = 0, "
    "max_cleanup_delay_period = 0, merge_tree_clear_old_parts_interval_seconds = 0"
)
_LEVEL = f"Enum8({', '.join(f'{name!r} = {rank}' for rank, name in enumerate(LEVELS))})"
_EVENTS = f"""
CREATE TABLE events (
    kind LowCardinality(String), person UInt32, ts {_INSTANT} CODEC(DoubleDelta, LZ4), channel LowCardinality(String),
    amount Decimal(9, 2), store UInt16, category LowCardinality(String)
) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (kind, person, ts) {_TIDY}
"""
_FILLED = """
INSERT INTO events
SELECT type, person, occurred_at, channel, ifNull(amount, 0), ifNull(store, 0), ifNull(category, '')
FROM file('{file}', Parquet)
"""
_COLUMNS = f"""
    person UInt32, city LowCardinality(Nullable(String)), level Nullable({_LEVEL}),
    gender LowCardinality(Nullable(String)), birthday Nullable(Date32), signup_at Nullable({_INSTANT}), tastes UInt8,
    score Nullable(Float64)
"""
_TASTES = " + ".join(f"has(tastes, '{taste}') * {1 << bit}" for bit, taste in enumerate(TASTES))
_CHANNEL = f"toUInt8(bitShiftLeft(1, transform(channel, {list(CHANNELS)}, {list(range(len(CHANNELS)))}, 0)))"
_TOUCH = "kind IN ('order', 'scan')"
_PEOPLE = f"""
CREATE TABLE people (
    {_COLUMNS}, last_touch Nullable({_INSTANT}), last_touch_before Nullable({_INSTANT}),
    channels UInt8, channels_before UInt8, activity_30d UInt32
) ENGINE = MergeTree ORDER BY person {_TIDY}
"""
_KEPT = f"""
INSERT INTO people SELECT attributes.*, kept.* EXCEPT person
FROM attributes LEFT JOIN (
    SELECT person, maxOrNullIf(ts, {_TOUCH}), maxOrNullIf(ts, {_TOUCH} AND ts < '2025-06-30 00:00:00'),
           groupBitOr({_CHANNEL}), groupBitOrIf({_CHANNEL}, ts < '2025-06-30 00:00:00'),
           countIf(ts >= '2025-06-01 00:00:00')
    FROM events GROUP BY person
) AS kept ON kept.person = attributes.person
"""
_BITMAPS = f"""
CREATE TABLE bitmaps (name LowCardinality(String), value String, people AggregateFunction(groupBitmap, UInt32))
ENGINE = AggregatingMergeTree ORDER BY (name, value) {_TIDY}
"""
_QUIET_MS = "dateDiff('ms', last_touch, toDateTime64('2025-07-01', 3, 'UTC'))"
_DAYS = f"people ARRAY JOIN range(1, {DAYS + 1}) AS days"
_NAMES = f"people ARRAY JOIN {list(CHANNELS)} AS names, range({len(CHANNELS)}) AS bits"
# Name, value, condition, and source.
_SETS = (
    ("city", "assumeNotNull(city)", "city IS NOT NULL", "people"),
    ("level", "toString(assumeNotNull(level))", "level IS NOT NULL", "people"),
    ("birth_year", "toString(toYear(assumeNotNull(birthday)))", "birthday IS NOT NULL", "people"),
    ("active_30d", "'2'", "activity_30d >= 2", "people"),
    ("untouched_days", "toString(days)", f"{_QUIET_MS} > days * 86400000", _DAYS),
    ("channel", "names", "bitTest(channels, bits)", _NAMES),
)
_SEGMENTS = f"""
CREATE TABLE segments (
    number UInt16, touched_before {_INSTANT}, touched_before_then {_INSTANT}, channels UInt8,
    city LowCardinality(String), level {_LEVEL}
) ENGINE = MergeTree ORDER BY number
"""


class ClickHouse(SqlEngine):
    WHO = clickhouse_queries.WHO

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder

    def load(self, watch: Watch) -> None:
        self.open()
        self._do(f"CREATE TABLE attributes ({_COLUMNS}) ENGINE = MergeTree ORDER BY person")
        self._do(
            f"INSERT INTO attributes SELECT number, city, level, gender, birthday, signup_at, {_TASTES}, score "
            f"FROM file('{self._world.people}', Parquet)"
        )
        self._do(_EVENTS, _FILLED.format(file=self._world.events), "OPTIMIZE TABLE events FINAL")
        watch(self._world.scale.events, self._world.scale.events)

    def maintain(self) -> None:
        self._do(_PEOPLE, _KEPT, "DROP TABLE attributes SYNC", "OPTIMIZE TABLE people FINAL", _BITMAPS)
        for name, value, condition, source in _SETS:
            self._do(
                f"INSERT INTO bitmaps SELECT '{name}', {value} AS value, groupBitmapState(person) "
                f"FROM {source} WHERE {condition} GROUP BY value"
            )
        self._do("OPTIMIZE TABLE bitmaps FINAL", _SEGMENTS, f"INSERT INTO segments VALUES {SEGMENT_VALUES}")
        self._session.close()

    def open(self) -> None:
        self._session = Session(str(self._folder / "clickhouse"))
        self._do(f"SET max_threads = {THREADS}", "SET join_use_nulls = 1")
        # The first query imports the modules that convert results to arrays.
        self._columns("SELECT 1")

    def ask(self, question: Question) -> list[int]:
        if question.name in clickhouse_queries.BITMAPS:
            bitmap = clickhouse_queries.BITMAPS[question.name]
            return [int(self._columns(f"SELECT bitmapCardinality({bitmap})")[0][0])]
        return super().ask(question)

    def _query(self, question: Question) -> str:
        if question.name in clickhouse_queries.BITMAPS:
            return f"SELECT arrayJoin(bitmapToArray({clickhouse_queries.BITMAPS[question.name]})) AS person"
        return super()._query(question)

    def _columns(self, sql: str) -> tuple[npt.NDArray[Any], ...]:
        table = self._session.query(sql, "ArrowTable")
        return tuple(column.to_numpy() for column in table.columns)

    def _roaring(self, sql: str) -> tuple[bytes, int]:
        """Returns the people as portable Roaring bytes, and their number.

        An aggregate state consists of one byte for the kind (1: Roaring), the length as a varint, and the bytes.
        """
        state: bytes = self._session.query(f"SELECT groupBitmapState(person) FROM ({sql})", "RowBinary").bytes()
        length = next(at for at in range(1, len(state)) if state[at] < 128)
        roaring = state[length + 1 :]
        return roaring, len(pyroaring.BitMap.deserialize(roaring))

    def _do(self, *statements: str) -> None:
        for statement in statements:
            self._session.query(statement)
