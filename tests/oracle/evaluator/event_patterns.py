"""Matches event patterns in one window or in several calendar units; tries each choice of events."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from quanyu.dsl import syntax as s
from tests.oracle.evaluator.values import nfkc
from tests.oracle.evaluator.windows import Windows
from tests.oracle.world import Event

Span = tuple[int, int]


def matches_pattern(oracle: Any, pattern: s.EventPattern, scope: Any) -> bool:
    window = pattern.window
    if isinstance(window, s.Recurrence):
        return in_units(oracle.windows, window, lambda unit: matches_in(oracle, pattern, unit, scope))
    return matches_in(oracle, pattern, oracle.windows.of_events(window), scope)


def in_units(windows: Windows, repeat: s.Recurrence, holds: Callable[[Span], bool]) -> bool:
    """Judges each unit by itself, then compares the number of units that match (E8, M5)."""
    units = windows.units(repeat.units)
    count = sum(holds(unit) for unit in units)
    match repeat:
        case s.InEach():
            return count == len(units)
        case s.InAtLeast(number=number):
            return count >= number
        case s.InAtMost(number=number):
            return count <= number
        case s.InExactly(number=number):
            return count == number


def matches_in(oracle: Any, pattern: s.EventPattern, window: Span, scope: Any) -> bool:
    if isinstance(pattern, s.Sequence):
        return any(
            EventChoice(oracle, pattern, window, scope, events).is_match()
            for events in event_choices(oracle, pattern, scope)
        )
    matching = oracle.matching(pattern.step, scope)
    if isinstance(pattern, s.FirstEvent):
        matching = matching[:1]
    count = sum(window[0] <= event.at < window[1] for event in matching)
    times = None if isinstance(pattern, s.FirstEvent) else pattern.times
    if isinstance(times, s.AtMost):
        return count <= times.number
    if isinstance(times, s.Exactly):
        return count == times.number
    return count >= (times.number if times else 1)


def event_choices(oracle: Any, sequence: s.Sequence, scope: Any) -> Iterator[tuple[Event, ...]]:
    """Yields each assignment of the person's events to the steps (Q10)."""
    steps = [sequence.first, *(item.step for item in sequence.later_steps if isinstance(item, s.ThenStep))]
    return itertools.product(*(oracle.matching(step, scope) for step in steps))


class EventChoice:
    """A choice of one event for each step of a sequence."""

    def __init__(self, oracle: Any, sequence: s.Sequence, window: Span, scope: Any, events: tuple[Event, ...]) -> None:
        self.oracle, self.sequence, self.window, self.scope, self.events = oracle, sequence, window, scope, events

    def is_match(self) -> bool:
        inside = all(self.window[0] <= event.at < self.window[1] for event in self.events)  # Q9
        return inside and self.have_one_value(self.events) and self.is_in_order() and not self.is_interrupted()

    def have_one_value(self, events: tuple[Event, ...]) -> bool:
        """Returns whether the `by` value is known and the same in all events (Q6, Q7)."""
        if self.sequence.by is None:
            return True
        values = [nfkc(self.oracle.event_value(self.sequence.by, event, self.scope)) for event in events]
        return None not in values and all(value == values[0] for value in values)

    def is_in_order(self) -> bool:
        follow = [item for item in self.sequence.later_steps if isinstance(item, s.ThenStep)]
        for item, (before, event) in zip(follow, itertools.pairwise(self.events), strict=True):
            gap = event.at - before.at
            if gap <= 0 or (item.after and gap < item.after.ms) or (item.within and gap > item.within.ms):
                return False
        return True

    def is_interrupted(self) -> bool:
        """Returns whether a forbidden event lies between two steps, or after the last step in the window (Q4, Q5)."""
        step = 0
        for item in self.sequence.later_steps:
            if isinstance(item, s.ThenStep):
                step += 1
                continue
            until = self.events[step + 1].at if step + 1 < len(self.events) else self.window[1]
            for event in self.oracle.matching(item.step, self.scope):
                between = self.events[step].at < event.at < until
                if between and self.window[0] <= event.at and self.have_one_value((self.events[step], event)):
                    return True
        return False
