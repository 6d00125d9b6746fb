"""Segments now and through time, as nodes of the plan message (M). Never unknown (U4)."""

from __future__ import annotations

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.planning.repeats import repeated
from quanyu.dsl.planning.values import (
    Json,
    Place,
    Span,
    Values,
)

Membership = s.InSegment | s.WasInSegmentAgo | s.WasInSegmentOn | s.EnteredSegment | s.LeftSegment


def membership(node: Membership, values: Values, place: Place) -> Json:
    match node:
        case s.InSegment(ref=ref):
            return values.people(ref, place)
        case s.WasInSegmentAgo(ref=ref, duration=duration):
            at = windows.ago_ms(duration, place.clock)
        case s.WasInSegmentOn(ref=ref, date=date):
            at = windows.when_ms(date, place.clock)
            if at > values.top.clock.as_of_ms:
                raise RuleError.at(date.span, "time", "this day is still to come: nobody was in it yet (M2)")
        case s.EnteredSegment() | s.LeftSegment():
            return _crossed(node, values, place)
    values.echo(format_rule(node), at, at)
    return _members(ref, at, values, place)


def _crossed(node: s.EnteredSegment | s.LeftSegment, values: Values, place: Place) -> Json:
    """In at one end of the window and not at the other (M3), or so in its units one by one (M5)."""

    def within(span: Span) -> Json:
        before, after = (_members(node.ref, at, values, place) for at in span)
        inside, outside = (before, after) if isinstance(node, s.LeftSegment) else (after, before)
        return {"op": "all", "of": [inside, {"op": "not", "of": outside}]}

    if isinstance(node.window, s.Recurrence):
        return repeated(node.window, within, values, place)
    return within(values.span(node.window, place))


def _members(ref: s.Ref, at: int | None, values: Values, place: Place) -> Json:
    """None: before everything. An instant that is still to come for the one asked of has no members (M2)."""
    now = place.clock.as_of_ms
    if at is None or place.clock.earlier(now, at) < at:
        return {"op": "constant", "value": False}
    return values.people(ref, place) if at == now else values.people_at(ref, at, place)
