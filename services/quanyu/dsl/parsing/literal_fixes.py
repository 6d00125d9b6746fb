"""Suggests corrections of literals: the other order, or the nearest valid values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from quanyu.dsl import syntax as s


def swap_ends(low: s.Expr, high: s.Expr) -> str:
    """Returns the two ends of a range in the other order."""
    return f"{_text(high)} and {_text(low)}"


def swap_coordinates(latitude: Decimal, longitude: Decimal) -> list[str]:
    """Returns the point with swapped coordinates if that is a valid point."""
    is_point = abs(longitude) <= 90 and abs(latitude) <= 180
    return [f"({longitude:f}, {latitude:f})"] if is_point else []


def find_nearest_integers(value: Decimal) -> list[str]:
    """Returns the whole numbers below and above a number that is not whole."""
    below = int(value)
    return [str(below), str(below + 1)]


def find_nearest_dates(text: str) -> list[str]:
    """Returns the last day of the month of a date that does not exist, and the day after."""
    year, month, *day = map(int, text.partition(" ")[0].split("-"))
    if not day or " " in text or not (1 <= month <= 12 and 1 <= year <= 9998):
        return []
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return [str(following - dt.timedelta(days=1)), str(following)]


def _text(end: s.Expr) -> str:
    match end:
        case s.Duration(amount=amount, unit=unit):
            return f"{amount}{unit}"
        case s.DateTime(value=moment):
            return f"{moment:%Y-%m-%d %H:%M}"
        case s.Date(value=day):
            return day.isoformat()
        case s.Percent(value=value):
            return f"{value:f}%"
        case s.Number(value=value):
            return f"{value:f}"
    raise TypeError(f"{type(end).__name__} has no order")
