"""Checks numbers and ranges that are invalid whatever the catalog contains."""

from __future__ import annotations

import datetime as dt
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.parsing.literal_fixes import find_nearest_integers, swap_ends

MAX_COUNT = 1_000_000_000


def to_integer(number: s.Number) -> int:
    """Returns the value of a whole number. Raises RuleError if it is not whole or too large."""
    if number.value != number.value.to_integral_value():
        around = find_nearest_integers(number.value)
        raise RuleError.at(number.span, "value", f"`{number.value}` is not a whole number", *around)
    if number.value > MAX_COUNT:
        raise RuleError.at(number.span, "value", f"`{number.value}` is too large: write at most {MAX_COUNT}")
    return int(number.value)


def to_unit_count(number: s.Number) -> int:
    """Returns a number of calendar units, which is at least 1."""
    count = to_integer(number)
    if count == 0:
        raise RuleError.at(number.span, "value", "0 units are an empty window: write at least 1")
    return count


def check_size(size: s.Percent | s.Number) -> None:
    """Rejects the size of a rank or sample that is above 100% or not a whole number of people."""
    if isinstance(size, s.Percent) and size.value > 100:
        raise RuleError.at(size.span, "value", f"{size.value}% is more than everybody: write at most 100%", "100%")
    if isinstance(size, s.Number):
        to_integer(size)


def check_order(low: s.Expr, high: s.Expr) -> None:
    """Rejects two literal ends in the wrong order (T10, G9)."""
    a, b = _order_key(low), _order_key(high)
    if a is not None and b is not None and type(a) is type(b) and a > b:
        message = "the ends are in the wrong order: write the smaller one first"
        raise RuleError.at(low.span, "value", message, swap_ends(low, high))


def _order_key(expr: s.Expr) -> Any:
    """Returns the value that orders a literal; None for other expressions."""
    if isinstance(expr, s.Duration):
        return expr.ms
    if isinstance(expr, s.DateTime):
        return (expr.value.date(), expr.value.time())
    if isinstance(expr, s.Date):
        return (expr.value, dt.time.min)
    if isinstance(expr, s.Percent):
        return expr.fraction
    return expr.value if isinstance(expr, s.Number) else None
