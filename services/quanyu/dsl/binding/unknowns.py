"""Finds the causes for which a condition can be unknown (U)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.references import Scope

Cause = Literal["no_value", "without_events", "never_seen", "divided_by_zero", "outside", "no_tier"]
_UNKNOWN_WITHOUT_EVENTS = ("avg", "min", "max", "median", "earliest", "latest", "most")  # U10
_NEVER = (s.Did, s.DidNot, s.InSegment, s.WasInSegmentAgo, s.WasInSegmentOn, s.EnteredSegment, s.LeftSegment, s.Sample)


@dataclass(frozen=True)
class UnknownCause:
    """A cause for which a condition is unknown. `what` is the value, the events, the divisor or the population."""

    reason: Cause
    what: s.Node | None = None


def find_in_condition(cond: s.Node, scope: Scope) -> Iterator[UnknownCause]:
    """Yields the causes for which a condition can be unknown. `including unknown` and `is unknown` have none."""
    if isinstance(cond, (*_NEVER, s.IncludingUnknown, s.IsKnown, s.IsUnknown)):
        return
    for child in s.iter_children(cond):
        is_cond = isinstance(cond, (s.AllOf, s.AnyOf, s.Not))
        yield from find_in_condition(child, scope) if is_cond else find_in_value(child, scope)


def find_in_value(expr: s.Node, scope: Scope) -> Iterator[UnknownCause]:
    """Yields the causes for which a bound value can be unknown."""
    match expr:
        case s.Path():
            yield from _of_name(expr, scope)
        case s.Arithmetic(op=op, left=left, right=right):
            yield from find_in_value(left, scope)
            yield from find_in_value(right, scope)
            if op == "/" and not isinstance(right, (s.Number, s.Percent)):
                yield UnknownCause("divided_by_zero", right)
        case s.Default(otherwise=otherwise):
            yield from find_in_value(otherwise, scope)
        case s.Aggregate(fn=fn):
            if fn in _UNKNOWN_WITHOUT_EVENTS:
                yield UnknownCause("without_events", expr)
        case s.Tile(expr=inner, among=among):
            yield from find_in_value(inner, scope)
            if among is not None:
                yield UnknownCause("outside", among)


def _of_name(path: s.Path, scope: Scope) -> Iterator[UnknownCause]:
    match names.resolve(path, scope)[1]:
        case names.Seen():
            yield UnknownCause("never_seen")
        case names.Recency(events=events):
            yield UnknownCause("without_events", events)
        case names.RuleValue(ref=ref):
            rule = scope.rules.get(ref.name, ref.version or 1)
            if isinstance(rule, s.Metric):
                yield from find_in_value(rule.expr, scope.for_person())
            elif isinstance(rule, s.Tag) and rule.otherwise is None:
                yield UnknownCause("no_tier", ref)
        case names.Attribute():
            yield UnknownCause("no_value", path)
