"""Compiles conditions on events: counts, first times and sequences (E, Q)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.dsl import syntax as s
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.repeats import compare_count, compile_repeat, resolve_units
from quanyu.dsl.planning.scope import PlanScope, TimeRange
from quanyu.dsl.planning.values import ValueCompiler


@dataclass(frozen=True)
class EventConditionCompiler:
    """Compiles `did ...`."""

    values: ValueCompiler

    def compile(self, pattern: s.EventPattern, scope: PlanScope) -> nodes.Cond:
        """Compiles whether events happened in the window, or in its calendar units."""
        window = pattern.window
        if not isinstance(window, s.Recurrence):
            return self._compile_within(pattern, self.values.resolve_window(window, scope), scope)
        if isinstance(pattern, s.Event) and _bounds(pattern.times) == (1, None):
            return self._count_units(pattern.step, window, scope)
        return compile_repeat(window, lambda unit: self._compile_within(pattern, unit, scope), self.values, scope)

    def _compile_within(self, pattern: s.EventPattern, time_range: TimeRange, scope: PlanScope) -> nodes.Cond:
        match pattern:
            case s.Event(step=step, times=times):
                return nodes.Happened(self.values.compile_events(step, time_range, scope), *_bounds(times))
            case s.FirstEvent(step=step):
                return self._compile_first_event(step, time_range, scope)
            case s.Sequence():
                return self._compile_sequence(pattern, time_range, scope)

    def _compile_first_event(self, step: s.Step, time_range: TimeRange, scope: PlanScope) -> nodes.Cond:
        """Compiles the condition that the window contains an event and no event is before it (E4)."""
        events = self.values.compile_events(step, time_range, scope)
        inside = nodes.Happened(events, 1, None)
        if events.start is None:
            return inside
        before = nodes.Happened(nodes.Events(events.steps, None, events.start), 1, None)
        return nodes.AllOf((inside, nodes.Not(before)))

    def _count_units(self, step: s.Step, repeat: s.Recurrence, scope: PlanScope) -> nodes.Cond:
        """Counts the units that have an event in one pass, as `days` counts days."""
        starts = resolve_units(repeat, self.values, scope)
        events = self.values.compile_events(step, (starts[0], starts[-1]), scope)
        units = nodes.Aggregate("days", events, None, tuple(sorted(set(starts))))
        return compare_count(repeat, units)

    # sequences

    def _compile_sequence(self, node: s.Sequence, time_range: TimeRange, scope: PlanScope) -> nodes.Cond:
        kept: list[tuple[s.Step, int | None, int | None]] = [(node.first, None, None)]
        forbidden: list[list[s.Step]] = [[]]
        for item in node.later_steps:
            if isinstance(item, s.WithoutStep):
                forbidden[-1].append(item.step)
            else:
                kept.append((item.step, item.after.ms if item.after else None, item.within.ms if item.within else None))
                forbidden.append([])
        compiled = [(self.values.compile_steps([step], scope), after, within) for step, after, within in kept]
        steps = [
            nodes.SequenceStep(events, after, within, self.values.compile_steps(without, scope))
            for (events, after, within), without in zip(compiled, forbidden, strict=True)
        ]
        by = self._compile_shared_value(node.by, steps, scope) if node.by else None
        start, end = time_range
        return nodes.Sequence(tuple(steps), by, self.values.instant_or_none(start), self.values.instant_of(end))

    def _compile_shared_value(self, by: s.Path, steps: Sequence[nodes.SequenceStep], scope: PlanScope) -> nodes.Expr:
        """Compiles the value that all events of the sequence share (Q6, Q7)."""
        types = dict.fromkeys(event.type for step in steps for event in (*step.events, *step.without))
        keys = (by.ref.name, *(key.name if isinstance(key, s.Key) else key.value for key in by.keys))
        return self.values.compile_property(by, keys, list(types), scope)


def _bounds(times: s.Times | None) -> tuple[int, int | None]:
    match times:
        case s.AtLeast(number=number):
            return number, None
        case s.AtMost(number=number):
            return 0, number
        case s.Exactly(number=number):
            return number, number
    return 1, None
