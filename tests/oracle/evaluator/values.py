"""Three-valued logic, arithmetic, aggregates and distances."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.oracle.evaluator.calendar import LocalCalendar
from tests.oracle.world import Event

Tri = bool | None


class Duration(int):
    """A number of milliseconds."""


def nfkc(value: Any) -> Any:
    return unicodedata.normalize("NFKC", value) if isinstance(value, str) else value


def all_of(values: Iterable[Tri]) -> Tri:
    values = list(values)
    return False if False in values else None if None in values else True


def any_of(values: Iterable[Tri]) -> Tri:
    values = list(values)
    return True if True in values else None if None in values else False


def negate(value: Tri) -> Tri:
    return None if value is None else not value


def aggregate_values(fn: str, pairs: list[tuple[Event, Any]], calendar: LocalCalendar) -> Any:
    """Aggregates the known values of events, which are in order."""
    values = [value for _, value in pairs]
    if fn == "count":
        return Fraction(len(values))
    if fn == "distinct":
        return Fraction(len(set(values)))
    if fn == "days":
        return Fraction(len({calendar.day(event.at) for event, _ in pairs}))
    if fn == "sum":
        return sum(values, Fraction(0))
    if not values:
        return None
    if fn == "most":
        counts = {value: values.count(value) for value in values}
        return max(counts, key=lambda value: (counts[value], last_index(values, value)))
    ordered = sorted(values) if fn in ("median", "min", "max") else values
    middle = len(values) // 2
    return {
        "avg": lambda: sum(values, Fraction(0)) / len(values),
        "min": lambda: ordered[0],
        "max": lambda: ordered[-1],
        "median": lambda: ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2,
        "earliest": lambda: values[0],
        "latest": lambda: values[-1],
    }[fn]()


def last_index(values: list[Any], value: Any) -> int:
    return max(i for i, other in enumerate(values) if other == value)


def arithmetic(op: str, left: Any, right: Any) -> Any:
    if left is None or right is None or (op == "/" and right == 0):
        return None
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left / right}[
        op
    ]()


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    lat_a, lon_a, lat_b, lon_b = (math.radians(angle) for angle in (*a, *b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(h)))
