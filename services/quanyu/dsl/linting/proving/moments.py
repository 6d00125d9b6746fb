"""The ends of windows, and which of two comes first whenever the rule is asked from now on.

`in last 7d` lies in `in this month` today and not in two weeks: what is said of a rule holds at every instant from the
clock's on, so ends that move are compared by how far before as-of they can lie.
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
_LOOKED_AT = 800  # days before and after as-of
_LONGEST = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True)
class Fixed:
    """An instant in milliseconds; of a date the days since 1970 in milliseconds, blind to zones."""

    at: float


@dataclass(frozen=True)
class Ago:
    ms: int


@dataclass(frozen=True)
class Turn:
    """The beginning of the calendar unit so many units after the one that holds as-of; `at`: where it lies now."""

    unit: s.CalendarUnit
    number: int
    at: float


Moment: TypeAlias = Fixed | Ago | Turn
Span: TypeAlias = tuple[Moment, Moment]

NOW = Ago(0)
ALWAYS: Span = (Fixed(-math.inf), Fixed(math.inf))


class Moments:
    """`days`: of dates, which have no zone, instead of instants."""

    def __init__(self, clock: Clock, days: bool = False) -> None:
        self._clock, self._days = clock, days

    def of(self, window: s.Window | None) -> Span:
        if window is None or isinstance(window, s.Ever):
            return ALWAYS
        low, high = self._resolved(window)
        match window:
            case s.LastElapsed(duration=duration):
                return Ago(duration.ms), NOW
            case s.NextElapsed(duration=duration):
                return NOW, Ago(-duration.ms)
            case s.BetweenDurations(low=near, high=far):
                return Ago(max(near.ms, far.ms)), Ago(min(near.ms, far.ms))
        units = _units_of(window)
        if units is None:
            return Fixed(low), Fixed(high)
        unit, first, end = units
        return Turn(unit, first, low), Turn(unit, end, high)

    def of_events(self, window: s.Window | None) -> Span:
        """Nothing has happened from as-of on (T1)."""
        start, end = self.of(window)
        return start, NOW if self.never_later(NOW, end) else end

    def when(self, when: s.DateOrDateTime) -> Fixed:
        """Its beginning (T8)."""
        return Fixed(self._day(when.value) if isinstance(when, s.Date) else windows.when_ms(when, self._clock))

    def day_after(self, date: s.Date) -> Fixed:
        return Fixed(self._day(date.value + dt.timedelta(days=1)))

    def _resolved(self, window: s.Window) -> tuple[float, float]:
        if self._days:
            low, high = (None if day is None else self._day(day) for day in windows.resolve_days(window, self._clock))
        else:
            low, high = windows.resolve_instants(window, self._clock)
        return -math.inf if low is None else low, math.inf if high is None else high

    def _day(self, day: dt.date) -> int:
        return windows.epoch_days(day) * DAY_MS if self._days else self._clock.day_start_ms(day)

    # order

    def never_later(self, a: Moment, b: Moment) -> bool:
        """a <= b at the clock's instant and at every later one, as far as can be told."""
        if a == b or a == ALWAYS[0] or b == ALWAYS[1]:
            return True
        if isinstance(b, Fixed):
            return isinstance(a, Fixed) and a.at <= b.at
        if isinstance(a, Fixed):
            return a.at <= self._now(b)
        if isinstance(a, Turn) and isinstance(b, Turn):
            return _units_back(a, b) >= 0
        return self._elapsed(a)[0] >= self._elapsed(b)[1]

    def is_to_come(self, moment: Moment) -> bool:
        """Now, and not for ever: it is a written day after as-of."""
        return isinstance(moment, Fixed) and self._clock.as_of_ms <= moment.at < math.inf

    def _now(self, moment: Ago | Turn) -> float:
        return moment.at if isinstance(moment, Turn) else int(self._clock.as_of_ms) - moment.ms

    def _elapsed(self, moment: Ago | Turn) -> tuple[int, int]:
        """At least and at most so long before as-of, in milliseconds."""
        if isinstance(moment, Ago):
            return moment.ms, moment.ms
        near, far = _days_back(moment)
        least, most = near * DAY_MS - self._slack_ms(far), (far + 1) * DAY_MS + self._slack_ms(far)
        return (least, min(most, 0)) if moment.number > 0 else (max(least, 0), most)  # as-of lies in the current unit

    def _slack_ms(self, days: float) -> int:
        """By how much so many local days differ at most from 24 hours each: no zone ever moved by more than a day."""
        return DAY_MS if self._is_shifted or days > _LOOKED_AT else 0

    @cached_property
    def _is_shifted(self) -> bool:
        """Whether the zone's clocks are put forward or back, as far as is looked."""
        clock, today = self._clock, self._clock.today
        days = (today + dt.timedelta(days=n) for n in range(-_LOOKED_AT, _LOOKED_AT + 1, 20))
        return len({clock.day_start_ms(day) - windows.epoch_days(day) * DAY_MS for day in days}) > 1

    # length

    def longest_ms(self, span: Span) -> float:
        """No window is longer than this, at any time."""
        start, end = span
        if isinstance(start, Fixed) or isinstance(end, Fixed):
            return end.at - start.at if isinstance(start, Fixed) and isinstance(end, Fixed) else math.inf
        if isinstance(start, Turn) and isinstance(end, Turn) and start.unit == end.unit:
            days = (end.number - start.number) * _LONGEST[start.unit]
            return days * DAY_MS + self._slack_ms(-start.number * _LONGEST[start.unit])
        return self._elapsed(start)[1] - self._elapsed(end)[0]

    def most_days(self, span: Span) -> float:
        """So many local days at most lie in the window, in whole or in part."""
        start, end = span
        if isinstance(start, Turn) and isinstance(end, Turn) and start.unit == end.unit:
            return max((end.number - start.number) * _LONGEST[start.unit], 0)
        if isinstance(start, Turn) and end == NOW:
            return _days_back(start)[1] + 1
        longest = self.longest_ms(span)
        if math.isinf(longest):
            return longest
        return -(-(longest + self._slack_ms(math.inf if isinstance(start, Fixed) else longest / DAY_MS)) // DAY_MS) + 1


def _units_of(window: s.Window) -> tuple[s.CalendarUnit, int, int] | None:
    """The unit, and how many units from the current one the window begins and ends; None: on written days."""
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


def _units_back(a: Turn, b: Turn) -> int:
    """By how many units a lies before b at least, in a unit of which both are made."""
    if a.unit == b.unit:
        return b.number - a.number
    for unit in ("quarter", "month"):
        if all(_MONTHS.get(turn.unit, 1) % _MONTHS[unit] == 0 and turn.unit in _MONTHS for turn in (a, b)):
            return _months_back(a, _MONTHS[unit])[0] - _months_back(b, _MONTHS[unit])[1]
    return _days_back(a)[0] - _days_back(b)[1]


def _months_back(turn: Turn, each: int = 1) -> tuple[int, int]:
    """Its distance from the current unit of so many months: a year begins up to 11 months before this one."""
    units = _MONTHS[turn.unit] // each
    return -units * turn.number, -units * turn.number + units - 1


def _days_back(turn: Turn) -> tuple[int, int]:
    """Its distance from today in local days, from and to."""
    if turn.unit == "day":
        return -turn.number, -turn.number
    if turn.unit == "week":
        return -7 * turn.number, -7 * turn.number + 6
    near, far = _months_back(turn)
    return min(_days_of(near)), max(_days_of(far)) + 30


def _days_of(months: int) -> tuple[int, int]:
    """So many months on end, from and to."""
    years, rest = divmod(abs(months), 12)
    ends = 365 * years + 28 * rest, 366 * years + 31 * rest
    return ends if months >= 0 else (-ends[1], -ends[0])
