"""Turns windows into instants, from docs/rules/semantics.md alone: a window includes its start and not its end."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from quanyu.dsl import syntax as s
from tests.oracle.evaluator.calendar import LocalCalendar

FAR = 2**62


class Windows:
    """Computes windows as of one instant."""

    def __init__(self, calendar: LocalCalendar, as_of: int) -> None:
        self.calendar, self.as_of = calendar, as_of

    def of_events(self, node: Any) -> tuple[int, int]:
        start, end = self.of(node) if node else (-FAR, FAR)
        return start, min(end, self.as_of)

    def of(self, node: Any) -> tuple[int, int]:
        calendar, today = self.calendar, self.calendar.day(self.as_of)

        def days(first: dt.date, after: dt.date) -> tuple[int, int]:
            return calendar.start(first), calendar.start(after)

        def units(unit: str, first: int, after: int) -> tuple[int, int]:
            this = calendar.unit(today, unit)
            return days(calendar.shift(this, unit, first), calendar.shift(this, unit, after))

        match node:
            case s.Ever():
                return -FAR, FAR
            case s.LastElapsed():
                return self.as_of - node.duration.ms, self.as_of
            case s.NextElapsed():
                return self.as_of, self.as_of + node.duration.ms
            case s.LastUnits():
                return units(node.unit, -node.number, 0)
            case s.LastUnit():
                return units(node.unit, -1, 0)
            case s.ThisUnit():
                return units(node.unit, 0, 1)
            case s.NextUnit():
                return units(node.unit, 1, 2)
            case s.NextUnits():
                return units(node.unit, 1, 1 + node.number)
            case s.Today():
                return units("day", 0, 1)
            case s.Yesterday():
                return units("day", -1, 0)
            case s.Tomorrow():
                return units("day", 1, 2)
            case s.Month():
                first = dt.date(node.year, node.month, 1)
                return days(first, calendar.shift(first, "month", 1))
            case s.OnDay():
                return days(node.date.value, node.date.value + dt.timedelta(days=1))
            case s.BetweenDays():
                return self.range_of_days(node.low, node.high)
            case s.BetweenDurations():
                ages = sorted([node.low.ms, node.high.ms])
                return self.as_of - ages[1], self.as_of - ages[0]
            case s.Since():
                return self.moment(node.when), FAR
            case s.Before():
                return -FAR, self.moment(node.when)
        raise AssertionError(f"no window {node!r}")

    def units(self, node: s.Units) -> list[tuple[int, int]]:
        """Returns the last whole units before the current one."""
        this = self.calendar.unit(self.calendar.day(self.as_of), node.unit)
        firsts = [self.calendar.shift(this, node.unit, -back) for back in range(node.number, -1, -1)]
        return list(itertools.pairwise(map(self.calendar.start, firsts)))

    def moment(self, when: s.Date | s.DateTime) -> int:
        if isinstance(when, s.Date):
            return self.calendar.start(when.value)
        return self.calendar.instant(when.value)

    def range_of_days(self, low: Any, high: Any) -> tuple[int, int]:
        if isinstance(high, s.Date):
            return self.moment(low), self.calendar.start(high.value + dt.timedelta(days=1))
        return self.moment(low), self.moment(high)
