"""A made catering brand: till, mini-program and delivery platform know the same customers by different names."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from quanyu.cli.demo.world import (
    Recall,
    Source,
    World,
    mapping_of,
    rules_of,
    schema_of,
)
from quanyu.runtime.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME = "catering"
AS_OF = datetime(2025, 6, 16, tzinfo=ZoneInfo("Asia/Shanghai"))
SEED = 20250616
# Of a table in memory.
_ROWS = 100_000
# In order of import: till and delivery first, so that what the mini-program knows merges people who are there already.
FILES = ("shops", "dishes", "members", "till", "delivery", "users", "miniapp")
_TWO_MONTHS = (
    "30d is 720 hours: 17 May 00:00 up to now. The last calendar month is May, whole; this month is ignored. Who last "
    "ordered early in May is lapsed by the first only; who ordered in June but not in May, by the second only."
)
_BROWSING = (
    "A touch is an order, a scan or a pickup: browsing is none. Who only browsed lately is quiet by the first and not "
    "by the second. Who browsed long ago and never touched is in the second only: never touched is not "
    "`last_touch > 30d`."
)


def prepare(folder: Path, people: int) -> World:
    """The world with `people` customers, its files written to `folder`; the same for the same number."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, tables in _tables(people):
        _write(folder / f"{name}.parquet", tables)
    return World(
        name=NAME,
        title=f"A catering brand: {people:,} made customers of tills, mini-program and delivery platform",
        as_of=AS_OF,
        schema=schema_of(NAME),
        rules=rules_of(NAME),
        sources=tuple(Source(folder / f"{name}.parquet", mapping_of(NAME, name)) for name in FILES),
        recall=Recall(
            segment="quiet", namespace="phone", coupon_prefix="HUI", template="好久不见，凭 {coupon} 到店立减 10 元。"
        ),
        explained="quiet",
        compared=(
            ("lapsed_30d", "lapsed_calendar_month", _TWO_MONTHS),
            ("quiet", "quiet_if_browsing_counted", _BROWSING),
        ),
    )


def _write(path: Path, tables: Iterable[pa.Table]) -> None:
    remaining = iter(tables)
    first = next(remaining)
    with pq.ParquetWriter(path, first.schema) as writer:
        for table in chain([first], remaining):
            writer.write_table(table)


def _tables(count: int) -> Iterator[tuple[str, Iterable[pa.Table]]]:
    """Each file in slices, made one by one, so that only one is in memory."""
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise FailedPrecondition(
            "the demo needs numpy: `pip install 'quanyu[demo]'`", reason="DEMO_DATA_MISSING"
        ) from error
    from quanyu.cli.demo.catering import tables
    from quanyu.cli.demo.catering.happenings import make_happenings
    from quanyu.cli.demo.catering.people import make_people

    random = np.random.default_rng(SEED)
    people = make_people(count, random)
    yield "shops", [tables.shops()]
    yield "dishes", [tables.dishes(random)]
    yield "members", [tables.members(people, random)]
    yield "users", [tables.users(people, random)]
    made = make_happenings(people, int(AS_OF.timestamp() * 1000), random)
    yield "till", (tables.till(part, first) for first, part in made.of("pos").slices(_ROWS))
    yield "delivery", (tables.delivery(part, first) for first, part in made.of("delivery").slices(_ROWS))
    yield "miniapp", (tables.miniapp(part, first, people) for first, part in made.of("miniapp", "web").slices(_ROWS))
