"""What people did, as nodes of the plan message: counts, first times and sequences (E, Q)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.dsl import syntax as s
from quanyu.dsl.planning.repeats import counted, repeated, starts_of
from quanyu.dsl.planning.values import (
    Json,
    Place,
    Span,
    Values,
)


@dataclass(frozen=True)
class Happenings:
    values: Values

    def did(self, pattern: s.EventPattern, place: Place) -> Json:
        window = pattern.window
        if not isinstance(window, s.Recurrence):
            return self._within(pattern, self.values.span(window, place), place)
        if isinstance(pattern, s.Event) and _bounds(pattern.times) == (1, None):
            return self._in_units_with(pattern.step, window, place)
        return repeated(window, lambda span: self._within(pattern, span, place), self.values, place)

    def _within(self, pattern: s.EventPattern, span: Span, place: Place) -> Json:
        match pattern:
            case s.Event(step=step, times=times):
                return _happened(self.values.events(step, span, place), *_bounds(times))
            case s.FirstEvent(step=step):
                return self._first_event(step, span, place)
            case s.Sequence():
                return self._sequence(pattern, span, place)

    def _first_event(self, step: s.Step, span: Span, place: Place) -> Json:
        """Some matching event in the window and none before it (E4)."""
        events = self.values.events(step, span, place)
        inside = _happened(events, 1, None)
        if events["from"] is None:
            return inside
        before = _happened({**events, "from": None, "to": events["from"]}, 1, None)
        return {"op": "all", "of": [inside, {"op": "not", "of": before}]}

    def _in_units_with(self, step: s.Step, repeat: s.Recurrence, place: Place) -> Json:
        """At least one event in so many units: the number of units with events, as `days` counts days."""
        starts = starts_of(repeat, self.values, place)
        events = self.values.events(step, (starts[0], starts[-1]), place)
        units = {"op": "aggregate", "fn": "days", "events": events, "value": None, "day_starts": sorted(set(starts))}
        return counted(repeat, units)

    # sequences

    def _sequence(self, node: s.Sequence, span: Span, place: Place) -> Json:
        steps = [self._step(node.first, None, None, place)]
        without: list[list[s.Step]] = [[]]
        for item in node.later_steps:
            if isinstance(item, s.WithoutStep):
                without[-1].append(item.step)
            else:
                steps.append(self._step(item.step, item.after, item.within, place))
                without.append([])
        for step, forbidden in zip(steps, without, strict=True):
            step["without"] = self.values.any_step(forbidden, place)
        by = self._common(node.by, steps, place) if node.by else None
        return {"op": "sequence", "steps": steps, "by": by, "from": span[0], "to": span[1]}

    def _step(self, step: s.Step, after: s.Duration | None, within: s.Duration | None, place: Place) -> Json:
        return {
            "events": self.values.steps(step, place),
            "after": after.ms if after else None,
            "within": within.ms if within else None,
        }

    def _common(self, by: s.Path, steps: Sequence[Json], place: Place) -> Json:
        """The value that all events of the sequence have in common (Q6, Q7)."""
        events = [event for step in steps for event in (*step["events"], *step["without"])]
        types = list(dict.fromkeys(event["type"] for event in events))
        keys = (by.ref.name, *(key.name if isinstance(key, s.Key) else key.value for key in by.keys))
        return self.values.property(by, keys, types, place)


def _bounds(times: s.Times | None) -> tuple[int, int | None]:
    match times:
        case s.AtLeast(number=number):
            return number, None
        case s.AtMost(number=number):
            return 0, number
        case s.Exactly(number=number):
            return number, number
    return 1, None


def _happened(events: Json, at_least: int, at_most: int | None) -> Json:
    return {"op": "happened", "events": events, "min": at_least, "max": at_most}
