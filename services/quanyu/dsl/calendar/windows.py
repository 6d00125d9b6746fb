"""Resolves windows to instants `from <= t < to` in milliseconds, or to local days (T0-T20).

A local day D begins at the first instant when the wall clock reads D's date and day start or later (T6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.relative_time import RelativeInstant, Validity
from quanyu.dsl.errors import RuleError

Instants = tuple[int | None, int | None]
Days = tuple[dt.date | None, dt.date | None]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)
_DAY = dt.timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Clock:
    """The instant of an evaluation and the settings of the workspace (T21).

    `week_start`: 1 = Monday ... 7 = Sunday. `day_start`: minutes after midnight. `leap_day`: where 29 February is in
    common years. `earliest_ms`: no event is older; `days()` over all time counts from there.
    """

    as_of_ms: int
    zone: str
    week_start: int = 1
    day_start: int = 0
    leap_day: Literal["feb28", "mar1"] = "feb28"
    earliest_ms: int = 0
    # How long the results taken from this clock stay right; only a relative clock limits it.
    validity: Validity = field(default_factory=Validity, compare=False)

    def relative(self) -> Clock:
        """Returns a clock at the same instant whose elapsed times give instants that move along with as-of."""
        return replace(self, as_of_ms=RelativeInstant(self.as_of_ms), validity=Validity())

    @cached_property
    def today(self) -> dt.date:
        """The local day that contains as-of."""
        return self.current_unit_start("day")

    def current_unit_start(self, unit: s.CalendarUnit) -> dt.date:
        """Returns the first day of the unit that contains as-of (T4)."""
        start = self.unit_start(self.day_of(int(self.as_of_ms)), unit)
        if isinstance(self.as_of_ms, RelativeInstant):
            self.validity.limit(self.day_start_ms(add_units(start, 1, unit)) - int(self.as_of_ms))
        return start

    def wall_ms(self, wall: dt.datetime) -> int:
        """Returns the first instant when the zone's clock shows `wall` or later: the end of a gap (T8)."""
        return _first_instant(self.zone, wall)

    def day_start_ms(self, day: dt.date) -> int:
        """Returns the instant at which the local day begins."""
        return _day_begins(self.zone, self.day_start, day)

    def local_time(self, ms: int) -> dt.datetime:
        """Returns the local time of the zone, with its offset."""
        return (_EPOCH + ms * _MS).astimezone(ZoneInfo(self.zone))

    def day_of(self, ms: int) -> dt.date:
        """Returns the local day D with start(D) <= ms < start(D + 1) (T7)."""
        wall = self.local_time(ms).replace(tzinfo=None) - dt.timedelta(minutes=self.day_start)
        day = wall.date()
        while self.day_start_ms(day) > ms:
            day -= _DAY
        while self.day_start_ms(day + _DAY) <= ms:
            day += _DAY
        if isinstance(ms, RelativeInstant):
            self.validity.limit(self.day_start_ms(day + _DAY) - int(ms))
        return day

    def earlier(self, a: int, b: int) -> int:
        """Returns the earlier of two instants; a relative one is earlier only until as-of moves it past the other."""
        return self._ordered(a, b)[0]

    def later(self, a: int, b: int) -> int:
        """Returns the later of two instants, with the same limit of validity."""
        return self._ordered(a, b)[1]

    def _ordered(self, a: int, b: int) -> tuple[int, int]:
        first, second = (a, b) if a <= b else (b, a)
        if isinstance(first, RelativeInstant) and not isinstance(second, RelativeInstant):
            self.validity.limit(second - int(first))
        return first, second

    def unit_start(self, day: dt.date, unit: s.CalendarUnit) -> dt.date:
        """Returns the first day of the unit that contains the day. Quarters and years begin in January (T18)."""
        if unit == "day":
            return day
        if unit == "week":
            return day - dt.timedelta(days=(day.isoweekday() - self.week_start) % 7)
        months = _MONTHS[unit]
        return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def add_units(start: dt.date, number: int, unit: s.CalendarUnit) -> dt.date:
    """Returns the start of the unit that is `number` units later."""
    if unit in ("day", "week"):
        return start + dt.timedelta(days=number * (7 if unit == "week" else 1))
    months = start.year * 12 + start.month - 1 + number * _MONTHS[unit]
    return dt.date(months // 12, months % 12 + 1, 1)


def resolve_days(window: s.Window, clock: Clock) -> Days:
    """Returns the local days [from, to) of a calendar window. Raises RuleError ("time") for elapsed time (T13)."""
    with calendar_errors_at(window):
        match window:
            case s.LastUnits(number=number, unit=unit):
                this = clock.current_unit_start(unit)
                return add_units(this, -number, unit), this
            case s.NextUnits(number=number, unit=unit):
                following = add_units(clock.current_unit_start(unit), 1, unit)
                return following, add_units(following, number, unit)
            case s.LastUnit(unit=unit):
                return resolve_days(s.LastUnits(1, unit), clock)
            case s.NextUnit(unit=unit):
                return resolve_days(s.NextUnits(1, unit), clock)
            case s.ThisUnit(unit=unit):
                this = clock.current_unit_start(unit)
                return this, add_units(this, 1, unit)
            case s.Month(year=year, month=month):
                first = dt.date(year, month, 1)
                return first, add_units(first, 1, "month")
            case s.Today():
                return clock.today, clock.today + _DAY
            case s.Yesterday():
                return clock.today - _DAY, clock.today
            case s.Tomorrow():
                return clock.today + _DAY, clock.today + 2 * _DAY
            case s.OnDay(date=date):
                return date.value, date.value + _DAY
            case s.Since(when=s.Date(value=first)):
                return first, None
            case s.Before(when=s.Date(value=end)):
                return None, end
            case s.BetweenDays(low=s.Date(value=first), high=s.Date(value=last)):
                return first, last + _DAY
    raise RuleError.at(window.span, "time", "this window does not consist of whole local days (T13)")


def resolve_instants(window: s.Window, clock: Clock) -> Instants:
    """Returns the instants [from, to) of any window, not limited to as-of. None is an open end."""
    now = clock.as_of_ms
    with calendar_errors_at(window):
        match window:
            case s.LastElapsed(duration=duration):
                return ago_ms(duration, clock), now
            case s.NextElapsed(duration=duration):
                return now, now + duration.ms
            case s.BetweenDurations(low=low, high=high):
                return between_ago(low, high, clock)
            case s.BetweenDays(low=low_end, high=high_end):
                return between(low_end, high_end, clock)
            case s.Since(when=when):
                return when_ms(when, clock), None
            case s.Before(when=when):
                return None, when_ms(when, clock)
            case s.Ever():
                return None, None
            case _:
                first, end = resolve_days(window, clock)
                start = None if first is None else clock.day_start_ms(first)
                return start, None if end is None else clock.day_start_ms(end)


def resolve_event_window(window: s.Window | None, clock: Clock) -> tuple[int | None, int]:
    """Returns the instants of a window over events, limited to as-of (T1). No window means ever (T2)."""
    start, end = resolve_instants(window, clock) if window is not None else (None, None)
    end = clock.as_of_ms if end is None else clock.earlier(end, clock.as_of_ms)
    return (start if start is None else clock.earlier(start, end)), end


def when_ms(when: s.DateOrDateTime, clock: Clock) -> int:
    """Returns the start of the local day of a DATE, or the instant of a DATETIME (T8)."""
    with calendar_errors_at(when):
        return clock.day_start_ms(when.value) if isinstance(when, s.Date) else clock.wall_ms(when.value)


def between(low: s.DateOrDateTime, high: s.DateOrDateTime, clock: Clock) -> tuple[int, int]:
    """Returns the instants of a range. A DATE at the end is included as a whole day, a DATETIME is excluded (T9)."""
    with calendar_errors_at(high):
        end = clock.day_start_ms(high.value + _DAY) if isinstance(high, s.Date) else clock.wall_ms(high.value)
    start = when_ms(low, clock)
    if start > end:
        raise RuleError.at(low.span, "time", "the ends are in the wrong order: write the earlier first (T10)")
    return start, end


def between_ago(low: s.Duration, high: s.Duration, clock: Clock) -> tuple[int, int]:
    """Returns the instants between two durations ago, in either order (T11)."""
    near, far = sorted((low, high), key=lambda duration: duration.ms)
    return ago_ms(far, clock), ago_ms(near, clock)


def ago_ms(duration: s.Duration, clock: Clock) -> int:
    """Returns the instant that is this long before as-of."""
    with calendar_errors_at(duration):
        at = clock.as_of_ms - duration.ms
        clock.local_time(at)  # raises if it is beyond the calendar
        return at


def unit_starts(units: s.Units, clock: Clock) -> list[int]:
    """Returns the starts of the last whole units, oldest first, and the end of the last one (E8)."""
    with calendar_errors_at(units):
        this = clock.current_unit_start(units.unit)
        return [clock.day_start_ms(add_units(this, back, units.unit)) for back in range(-units.number, 1)]


def day_starts(start: int | None, end: int, clock: Clock) -> list[int]:
    """Returns the starts of the local days that cover [start, end), and the end of the last one."""
    first = clock.day_of(clock.earliest_ms if start is None else clock.later(start, clock.earliest_ms))
    last = clock.day_of(clock.later(end - 1, clock.earliest_ms))
    count = max((last - first).days, 0) + 2
    starts = [clock.day_start_ms(first + n * _DAY) for n in range(count)]
    return sorted(set(starts))  # a day that the zone skipped is empty


def month_days(first: dt.date, end: dt.date, clock: Clock) -> list[tuple[int, list[int]]]:
    """Returns for each year the month-days (`month * 100 + day`) with an anniversary in [first, end) (T15, T17)."""
    years: dict[int, list[int]] = {}
    for n in range((end - first).days):
        day = first + n * _DAY
        held = years.setdefault(day.year, [])
        held.append(day.month * 100 + day.day)
        stand_in = (2, 28) if clock.leap_day == "feb28" else (3, 1)
        if not _is_leap(day.year) and (day.month, day.day) == stand_in:
            held.append(229)
    return list(years.items())


def epoch_days(day: dt.date) -> int:
    return day.toordinal() - dt.date(1970, 1, 1).toordinal()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@contextmanager
def calendar_errors_at(node: s.Node) -> Iterator[None]:
    """Turns an overflow of the calendar into a RuleError at a node."""
    try:
        yield
    except (OverflowError, ValueError):
        raise RuleError.at(node.span, "time", "this reaches beyond the years 1 to 9999") from None


@lru_cache(maxsize=65_536)
def _day_begins(zone: str, day_start: int, day: dt.date) -> int:
    return _first_instant(zone, dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=day_start))


@lru_cache(maxsize=65_536)
def _first_instant(zone: str, wall: dt.datetime) -> int:
    first = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    after = _to_ms(first)
    if first.astimezone(dt.UTC).astimezone(first.tzinfo).replace(tzinfo=None) == wall:
        return after
    return _gap_end(zone, wall, _to_ms(first.replace(fold=1)), after)


def _gap_end(zone: str, wall: dt.datetime, before: int, after: int) -> int:
    """Returns the end of the gap that contains the wall time, by bisection between `before` and `after`."""
    info = ZoneInfo(zone)
    low, high = before // 1000, after // 1000
    while high - low > 1:
        middle = (low + high) // 2
        reads = (_EPOCH + dt.timedelta(seconds=middle)).astimezone(info).replace(tzinfo=None)
        low, high = (low, middle) if reads >= wall else (middle, high)
    return high * 1000


def _to_ms(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // _MS
