"""Defines the instants and literal values of a plan (docs/plan.md)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from quanyu.dsl.calendar.relative_time import RelativeInstant


@dataclass(frozen=True, slots=True)
class Ago:
    """An instant `ms` milliseconds before the plan's as-of, or a duration that grows with it."""

    ms: int


# Milliseconds since 1970 UTC, or a distance from the plan's as-of.
Instant = int | Ago


def instant_of(ms: int, as_of_ms: int) -> Instant:
    """Returns the instant as the plan holds it; `as_of_ms` is the plan's as-of."""
    return Ago(int(as_of_ms) - int(ms)) if isinstance(ms, RelativeInstant) else ms


@dataclass(frozen=True, slots=True)
class NumberValue:
    """A number as decimal text of at most six fractional digits; money is in major units."""

    decimal: str


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text in NFKC."""

    text: str


@dataclass(frozen=True, slots=True)
class BoolValue:
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class InstantValue:
    """An instant in milliseconds since 1970 UTC."""

    ms: Instant


@dataclass(frozen=True, slots=True)
class DateValue:
    """A date in days since 1970-01-01."""

    days: int


@dataclass(frozen=True, slots=True)
class MonthDayValue:
    """A day of the year, `month * 100 + day`."""

    month_day: int


@dataclass(frozen=True, slots=True)
class DurationValue:
    """A duration in milliseconds."""

    ms: Instant


@dataclass(frozen=True, slots=True)
class PointValue:
    """A place on the earth in degrees."""

    lat: float
    lon: float


Value = NumberValue | TextValue | BoolValue | InstantValue | DateValue | MonthDayValue | DurationValue | PointValue


def decimal_text(value: Decimal) -> str:
    """Returns a number without an exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
