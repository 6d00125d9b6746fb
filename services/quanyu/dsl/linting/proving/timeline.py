"""Orders the ends of windows for every evaluation from the clock's instant on.

`in last 7d` may be inside `in this month` today and not two weeks later. A proof holds at every later instant, so ends
that move are compared by how far before as-of they can be.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.windows import Clock

DAY_MS = 86_400_000
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SEARCHED_DAYS = 800  # days before and after as-of
_MAX_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True)
class Fixed:
    """A fixed instant in milliseconds since the epoch; for dates, days since 1970 in milliseconds, without a zone."""

    at: float


@dataclass(frozen=True)
class Ago:
    """The instant `ms` milliseconds before as-of."""

    ms: int


@dataclass(frozen=True)
class UnitStart:
    """The start of the calendar unit `number` units after the one that contains as-of. `at` is its current instant."""

    unit: s.CalendarUnit
    number: int
    at: float


Instant: TypeAlias = Fixed | Ago | UnitStart
Span: TypeAlias = tuple[Instant, Instant]

NOW = Ago(0)
ALL_TIME: Span = (Fixed(-math.inf), Fixed(math.inf))


class Timeline:
    """Converts windows to pairs of instants and compares them. `days` selects dates, which have no zone."""

    def __init__(self, clock: Clock, days: bool = False) -> None:
        self._clock, self._days = clock, days

    def span_of(self, window: s.Window | None) -> Span:
        if window is None or isinstance(window, s.Ever):
            return ALL_TIME
        low, high = self._resolve(window)
        match window:
            case s.LastElapsed(duration=duration):
                return Ago(duration.ms), NOW
            case s.NextElapsed(duration=duration):
                return NOW, Ago(-duration.ms)
            case s.BetweenDurations(low=near, high=far):
                return Ago(max(near.ms, far.ms)), Ago(min(near.ms, far.ms))
        units = _unit_offsets(window)
        if units is None:
            return Fixed(low), Fixed(high)
        unit, first, end = units
        return UnitStart(unit, first, low), UnitStart(unit, end, high)

    def event_span(self, window: s.Window | None) -> Span:
        """Returns the span of a window over events, which ends at as-of at the latest (T1)."""
        start, end = self.span_of(window)
        return start, NOW if self.is_never_later(NOW, end) else end

    def instant_of(self, when: s.DateOrDateTime) -> Fixed:
        """Returns the start of a date, or the instant of a date and time (T8)."""
        if isinstance(when, s.Date) and self._days:
            return Fixed(self._day_ms(when.value))
        return Fixed(windows.when_ms(when, self._clock))

    def day_after(self, date: s.Date) -> Fixed:
        """Returns the end of a date."""
        if self._days:
            return Fixed(self._day_ms(date.value) + DAY_MS)
        with windows.calendar_errors_at(date):
            return Fixed(self._clock.day_start_ms(date.value + dt.timedelta(days=1)))

    def _resolve(self, window: s.Window) -> tuple[float, float]:
        if self._days:
            low, high = (
                None if day is None else self._day_ms(day) for day in windows.resolve_days(window, self._clock)
            )
        else:
            low, high = windows.resolve_instants(window, self._clock)
        return -math.inf if low is None else low, math.inf if high is None else high

    def _day_ms(self, day: dt.date) -> int:
        return windows.epoch_days(day) * DAY_MS if self._days else self._clock.day_start_ms(day)

    # order

    def is_never_later(self, a: Instant, b: Instant) -> bool:
        """Returns True if `a <= b` is certain at the clock's instant and at every later one."""
        if a == b or a == ALL_TIME[0] or b == ALL_TIME[1]:
            return True
        if isinstance(b, Fixed):
            return isinstance(a, Fixed) and a.at <= b.at
        if isinstance(a, Fixed):
            return a.at <= self._current_ms(b)
        if isinstance(a, UnitStart) and isinstance(b, UnitStart):
            return _min_units_before(a, b) >= 0
        return self._age_range_ms(a)[0] >= self._age_range_ms(b)[1]

    def is_fixed_future(self, instant: Instant) -> bool:
        """Returns whether the instant is a fixed one that as-of has not passed yet."""
        return isinstance(instant, Fixed) and self._clock.as_of_ms <= instant.at < math.inf

    def _current_ms(self, instant: Ago | UnitStart) -> float:
        return instant.at if isinstance(instant, UnitStart) else int(self._clock.as_of_ms) - instant.ms

    def _age_range_ms(self, instant: Ago | UnitStart) -> tuple[int, int]:
        """Returns the least and the greatest possible distance before as-of, in milliseconds."""
        if isinstance(instant, Ago):
            return instant.ms, instant.ms
        near, far = _days_before(instant)
        least, limit = near * DAY_MS - self._slack_ms(far), (far + 1) * DAY_MS + self._slack_ms(far)
        return (
            (least, min(limit, 0)) if instant.number > 0 else (max(least, 0), limit)
        )  # the current unit contains as-of

    def _slack_ms(self, days: float) -> int:
        """Returns how much this many local days can differ from 24 hours each: no zone has moved by more than a day."""
        return DAY_MS if self._has_clock_changes or days > _SEARCHED_DAYS else 0

    @cached_property
    def _has_clock_changes(self) -> bool:
        """Returns whether the offset of the zone changes within the searched days."""
        clock, today = self._clock, self._clock.today
        days = (today + dt.timedelta(days=n) for n in range(-_SEARCHED_DAYS, _SEARCHED_DAYS + 1, 20))
        return len({clock.day_start_ms(day) - windows.epoch_days(day) * DAY_MS for day in days}) > 1

    # length

    def max_length_ms(self, span: Span) -> float:
        """Returns an upper bound for the length of the span at any time."""
        start, end = span
        if isinstance(start, Fixed) or isinstance(end, Fixed):
            return end.at - start.at if isinstance(start, Fixed) and isinstance(end, Fixed) else math.inf
        if isinstance(start, UnitStart) and isinstance(end, UnitStart) and start.unit == end.unit:
            days = (end.number - start.number) * _MAX_DAYS[start.unit]
            return days * DAY_MS + self._slack_ms(-start.number * _MAX_DAYS[start.unit])
        return self._age_range_ms(start)[1] - self._age_range_ms(end)[0]

    def max_days(self, span: Span) -> float:
        """Returns an upper bound for the number of local days that the span touches."""
        start, end = span
        if isinstance(start, UnitStart) and isinstance(end, UnitStart) and start.unit == end.unit:
            return max((end.number - start.number) * _MAX_DAYS[start.unit], 0)
        if isinstance(start, UnitStart) and end == NOW:
            return _days_before(start)[1] + 1
        longest = self.max_length_ms(span)
        if math.isinf(longest):
            return longest
        return -(-(longest + self._slack_ms(math.inf if isinstance(start, Fixed) else longest / DAY_MS)) // DAY_MS) + 1


def _unit_offsets(window: s.Window) -> tuple[s.CalendarUnit, int, int] | None:
    """Returns the unit and the offsets of start and end from the current unit, or None for written days."""
    match window:
        case s.LastUnits(number=number, unit=unit):
            return unit, -number, 0
        case s.NextUnits(number=number, unit=unit):
            return unit, 1, 1 + number
        case s.LastUnit(unit=unit):
            return unit, -1, 0
        case s.ThisUnit(unit=unit):
            return unit, 0, 1
        case s.NextUnit(unit=unit):
            return unit, 1, 2
        case s.Today():
            return "day", 0, 1
        case s.Yesterday():
            return "day", -1, 0
        case s.Tomorrow():
            return "day", 1, 2
    return None


def _min_units_before(a: UnitStart, b: UnitStart) -> int:
    """Returns the least distance from `a` to `b` in a unit that divides both of their units."""
    if a.unit == b.unit:
        return b.number - a.number
    for unit in ("quarter", "month"):
        if all(_MONTHS.get(turn.unit, 1) % _MONTHS[unit] == 0 and turn.unit in _MONTHS for turn in (a, b)):
            return _months_before(a, _MONTHS[unit])[0] - _months_before(b, _MONTHS[unit])[1]
    return _days_before(a)[0] - _days_before(b)[1]


def _months_before(turn: UnitStart, each: int = 1) -> tuple[int, int]:
    """Returns the range of its distance before the current unit of `each` months (a year: 0 to 11 months more)."""
    units = _MONTHS[turn.unit] // each
    return -units * turn.number, -units * turn.number + units - 1


def _days_before(turn: UnitStart) -> tuple[int, int]:
    """Returns the range of its distance before today in local days."""
    if turn.unit == "day":
        return -turn.number, -turn.number
    if turn.unit == "week":
        return -7 * turn.number, -7 * turn.number + 6
    near, far = _months_before(turn)
    return min(_day_range(near)), max(_day_range(far)) + 30


def _day_range(months: int) -> tuple[int, int]:
    """Returns the range of lengths of this number of consecutive months, in days."""
    years, rest = divmod(abs(months), 12)
    ends = 365 * years + 28 * rest, 366 * years + 31 * rest
    return ends if months >= 0 else (-ends[1], -ends[0])
