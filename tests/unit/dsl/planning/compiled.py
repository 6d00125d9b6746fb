"""Compiles rules with the catalog of the tests, and writes parts of the expected JSON."""

import datetime as dt
from typing import Any

from quanyu.dsl import Clock, CompiledRule, Library, compile_condition
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

DAY = 86_400_000
HOUR = 3_600_000


def compiled(rule: str, library: Library = LIBRARY, clock: Clock = CLOCK) -> CompiledRule:
    return compile_condition(bind(rule, library), library, CATALOG, clock)


def cond(rule: str, library: Library = LIBRARY, clock: Clock = CLOCK) -> Any:
    return to_json(compiled(rule, library, clock).roots[0].cond)


def local(text: str) -> int:
    """Returns an instant of the tests' zone, UTC+8 all year."""
    wall = dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))
    return int(wall.timestamp() * 1000)


def days_since_1970(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def num(text: str) -> dict[str, Any]:
    return {"op": "literal", "value": {"num": text}}


def text(value: str) -> dict[str, Any]:
    return {"op": "literal", "value": {"text": value}}


def attribute(name: str, key: str | None = None) -> dict[str, Any]:
    return {"op": "attribute", "name": name, "key": key}


def steps(*types: str) -> list[dict[str, Any]]:
    return [{"type": event_type, "where": None} for event_type in types]


def step(
    *types: str, after: int | None = None, within: int | None = None, without: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"events": steps(*types), "after": after, "within": within, "without": without or []}


def happened(
    *types: str, since: int | None = None, to: int = NOW, at_least: int = 1, at_most: int | None = None
) -> Any:
    return {
        "op": "happened",
        "events": {"steps": steps(*types), "from": since, "to": to},
        "min": at_least,
        "max": at_most,
    }
