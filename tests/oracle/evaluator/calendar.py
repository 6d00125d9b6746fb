"""Computes local days by brute force, from points T5 to T7. It shares no arithmetic with the compiler."""

from __future__ import annotations

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = 60_000
EPOCH = dt.datetime(1970, 1, 1)


def wall(ms: int, zone: str) -> dt.datetime:
    """Returns the reading of the wall clock at an instant."""
    return dt.datetime.fromtimestamp(ms // 1000, ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@cache
def first_reading(reading: dt.datetime, zone: str) -> int:
    """Returns the first instant at which the wall clock shows `reading` or later; searches minute by minute."""
    guess = int((reading - EPOCH).total_seconds()) * 1000
    ms = guess - 16 * 60 * MINUTE
    while wall(ms, zone) < reading:
        ms += MINUTE
    return ms


class LocalCalendar:
    def __init__(self, zone: str, day_start: int, week_start: int) -> None:
        self.zone, self.day_start, self.week_start = zone, day_start, week_start

    def start(self, day: dt.date) -> int:
        midnight = dt.datetime.combine(day, dt.time())
        return first_reading(midnight + dt.timedelta(minutes=self.day_start), self.zone)

    def instant(self, when: dt.datetime) -> int:
        """Returns the instant of a wall time; of one that occurs twice, the first."""
        return first_reading(when, self.zone)

    def day(self, ms: int) -> dt.date:
        guess = wall(ms, self.zone).date()
        days = (guess + dt.timedelta(days=shift) for shift in range(2, -3, -1))
        return next(day for day in days if self.start(day) <= ms)

    def unit(self, day: dt.date, unit: str) -> dt.date:
        """Returns the first day of the unit that contains `day`."""
        if unit == "day":
            return day
        if unit == "week":
            return day - dt.timedelta(days=(day.isoweekday() - self.week_start) % 7)
        month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit]
        return dt.date(day.year, month, 1)

    def shift(self, first: dt.date, unit: str, number: int) -> dt.date:
        """Returns the first day of the unit that is `number` units after the one that begins on `first`."""
        if unit in ("day", "week"):
            return first + dt.timedelta(days=number * (1 if unit == "day" else 7))
        months = first.year * 12 + first.month - 1 + number * {"month": 1, "quarter": 3, "year": 12}[unit]
        return dt.date(months // 12, months % 12 + 1, 1)
