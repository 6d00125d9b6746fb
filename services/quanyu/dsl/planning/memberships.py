"""Compiles membership in segments, now and at earlier instants (M); never unknown (U4)."""

from __future__ import annotations

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.repeats import compile_repeat
from quanyu.dsl.planning.scope import PlanScope, TimeRange
from quanyu.dsl.planning.values import ValueCompiler

Membership = s.InSegment | s.WasInSegmentAgo | s.WasInSegmentOn | s.EnteredSegment | s.LeftSegment


def compile_membership(node: Membership, values: ValueCompiler, scope: PlanScope) -> nodes.Cond:
    """Compiles a condition on membership. Raises RuleError (reason "time") for a future day (M2)."""
    match node:
        case s.InSegment(ref=ref):
            return values.compile_members(ref, scope)
        case s.WasInSegmentAgo(ref=ref, duration=duration):
            at = windows.ago_ms(duration, scope.clock)
        case s.WasInSegmentOn(ref=ref, date=date):
            at = windows.when_ms(date, scope.clock)
            if at > values.top.clock.as_of_ms:
                raise RuleError.at(date.span, "time", "this day is still to come: give a day up to today (M2)")
        case s.EnteredSegment() | s.LeftSegment():
            return _compile_crossing(node, values, scope)
    values.state.record_window(format_rule(node), at, at)
    return _compile_members(ref, at, values, scope)


def _compile_crossing(node: s.EnteredSegment | s.LeftSegment, values: ValueCompiler, scope: PlanScope) -> nodes.Cond:
    """Compiles membership at only one end of the window (M3), or of each of its units (M5)."""

    def compile_within(time_range: TimeRange) -> nodes.Cond:
        before, after = (_compile_members(node.ref, at, values, scope) for at in time_range)
        inside, outside = (before, after) if isinstance(node, s.LeftSegment) else (after, before)
        return nodes.AllOf((inside, nodes.Not(outside)))

    if isinstance(node.window, s.Recurrence):
        return compile_repeat(node.window, compile_within, values, scope)
    return compile_within(values.resolve_window(node.window, scope))


def _compile_members(ref: s.Ref, at: int | None, values: ValueCompiler, scope: PlanScope) -> nodes.Cond:
    """Compiles membership at an instant. Nobody is a member before all time (None) or after the scope's as-of (M2)."""
    now = scope.clock.as_of_ms
    if at is None or scope.clock.earlier(now, at) < at:
        return nodes.Constant(False)
    return values.compile_members(ref, scope) if at == now else values.compile_members_at(ref, at, scope)
