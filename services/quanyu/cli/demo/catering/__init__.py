"""The dataset of a generated catering brand, whose till, mini-program and delivery platform use different ids."""

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
# The maximum number of rows of a table in memory.
_ROWS = 100_000
# In order of import: till and delivery first, so that the mini-program merges people who exist already.
FILES = ("shops", "dishes", "members", "till", "delivery", "users", "miniapp")
_TWO_MONTHS = (
    "30d is 720 hours: from 17 May 00:00 up to now. The last calendar month is the whole of May; June is ignored. "
    "People with their last order early in May are lapsed by the first rule only; people with an order in June but "
    "none in May, by the second rule only."
)
_BROWSING = (
    "A touch is an order, a scan or a pickup, but not browsing. People who only browsed lately are quiet by the first "
    "rule and not by the second. People who browsed long ago and never touched are quiet by the second rule only: for "
    "them, `last_touch > 30d` is unknown."
)


def prepare(folder: Path, people: int) -> World:
    """Writes the files of `people` customers to `folder` and returns the world; equal numbers give equal files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, tables in _tables(people):
        _write(folder / f"{name}.parquet", tables)
    return World(
        name=NAME,
        title=f"A catering brand: {people:,} generated customers of tills, mini-program and delivery platform",
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
    """Yields the tables of each file in slices, so that only one is in memory."""
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise FailedPrecondition(
            "the demo needs numpy: `pip install 'quanyu[demo]'`", reason="DEMO_DATA_MISSING"
        ) from error
    from quanyu.cli.demo.catering import tables
    from quanyu.cli.demo.catering.events import generate_events
    from quanyu.cli.demo.catering.people import generate_people

    random = np.random.default_rng(SEED)
    people = generate_people(count, random)
    yield "shops", [tables.shops()]
    yield "dishes", [tables.dishes(random)]
    yield "members", [tables.members(people, random)]
    yield "users", [tables.users(people, random)]
    events = generate_events(people, int(AS_OF.timestamp() * 1000), random)
    yield "till", (tables.till(part, first) for first, part in events.of("pos").slices(_ROWS))
    yield "delivery", (tables.delivery(part, first) for first, part in events.of("delivery").slices(_ROWS))
    yield "miniapp", (tables.miniapp(part, first, people) for first, part in events.of("miniapp", "web").slices(_ROWS))
