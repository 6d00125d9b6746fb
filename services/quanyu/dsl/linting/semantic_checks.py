"""Checks for conditions that authors misread: unknown values, first events, person values inside `where`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.linting.findings import Findings, join_words, quote
from quanyu.dsl.linting.proving import (
    Encoder,
    Formula,
    Site,
    negation,
)
from quanyu.dsl.model.types import nfkc, nfkc_set

_NAMED = 3  # unknown values that a suggestion names
_SEARCHED = 2_000  # the nearest value is not searched among more values


class SemanticChecks:
    def __init__(self, encoder: Encoder, found: Findings) -> None:
        self._encoder, self._found = encoder, found

    def check(self, node: s.Cond, site: Site, given: Sequence[Formula], is_positive: bool) -> None:
        """Checks one condition without its operands, where all of `given` holds."""
        match node:
            case s.IncludingUnknown(operand=inner):
                self._check_including_unknown(node, inner, site, given)
            case s.Not(operand=s.InSegment(ref=ref)) if is_positive:
                self._check_negated_segment(node, ref, given)
            case s.DidNot(pattern=s.FirstEvent() as event) if is_positive:
                self._check_negated_first_event(node, event, site, given)
            case s.Not(operand=s.Did(pattern=s.FirstEvent() as event)) if is_positive:
                self._check_negated_first_event(node, event, site, given)
        if is_positive and (isinstance(node, s.Not) or s.strip_not(node) is not None):
            self._check_negation(node, site, given)
        if not isinstance(node, (s.AllOf, s.AnyOf, s.Not, s.IncludingUnknown)):
            self.check_windows(node)
            self.check_declared_values(node, site)
            if site.step is not None:
                self._check_person_in_where(node, site)

    # unknown

    def _check_including_unknown(
        self, node: s.IncludingUnknown, inner: s.Cond, site: Site, given: Sequence[Formula]
    ) -> None:
        if self._encoder.prover.is_refuted(*given, self._encoder.encode(inner, site).unknown):
            message = f"{quote(inner)} is never unknown here, so `including unknown` changes nothing (U7)"
            self._found.add("NOTHING_UNKNOWN", node, message, format_rule(inner))

    def _check_negation(self, node: s.Cond, site: Site, given: Sequence[Formula]) -> None:
        if not self._encoder.prover.is_possible(*given, self._encoder.encode(node, site).unknown):
            return
        values = self.possibly_unknown_values(node, site, given)
        if not values:
            return
        who, are = ("an event", "is") if site.step else ("people", "are")
        shown_values = join_words([quote(value) for value in values])
        message = f"{who} whose {shown_values} is unknown {are} excluded: the negation of an unknown is unknown (U2)"
        including = format_rule(s.IncludingUnknown(node))
        known = tuple(s.IsKnown(value) for value in values[:_NAMED])
        self._found.add("NOT_LEAVES_OUT_UNKNOWN", node, message, including, format_rule(s.AllOf((*known, node))))

    def _check_negated_segment(self, node: s.Cond, ref: s.Ref, given: Sequence[Formula]) -> None:
        segment = self._encoder.values.rule(ref)
        site = Site(among=segment.among, rule=ref.name)
        if not self._encoder.prover.is_possible(*given, self._encoder.encode(segment.cond, site).unknown):
            return
        values = self.possibly_unknown_values(segment.cond, site, given)
        if not values:
            return
        shown_values = join_words([quote(value) for value in values])
        excluded = f"people whose {shown_values} is unknown"
        message = f"{quote(node)} also includes {excluded}, because the segment excludes them (U4)"
        known = tuple(s.IsKnown(value) for value in values[:_NAMED])
        self._found.add("DENIED_SEGMENT_TAKES_UNKNOWN", node, message, format_rule(s.AllOf((*known, node))))

    def possibly_unknown_values(self, cond: s.Cond, site: Site, given: Sequence[Formula] = ()) -> list[s.Expr]:
        """Returns the distinct values that the condition uses and that can be unknown."""
        found: dict[str, s.Expr] = {}
        for expr in _values(cond):
            if self._encoder.prover.is_possible(*given, negation(self._encoder.values.known(expr, site))):
                found.setdefault(format_rule(expr), expr)
        return list(found.values())

    # values

    def check_declared_values(self, node: s.Cond, site: Site) -> None:
        """Reports texts that are not among the known values of a field: they are probably typing errors."""
        expr, texts = _texts(node)
        if expr is None or not texts:
            return
        values = self._encoder.values.type_of(expr, site).values
        for text in texts if values else ():
            if nfkc(text.value) in nfkc_set(values):
                continue
            near = references.nearest(text.value, values)[:1] if len(values) <= _SEARCHED else []
            offers = [format_rule(_with(node, text, s.Text(value))) for value in near]
            message = f"{quote(text)} is not a declared or known value of {quote(expr)}"
            self._found.add("UNDECLARED_VALUE", text, message, *offers)

    # events

    def _check_negated_first_event(
        self, node: s.Cond, event: s.FirstEvent, site: Site, given: Sequence[Formula]
    ) -> None:
        ever = s.Did(s.Event(event.step))
        if self._encoder.prover.is_possible(*given, self._encoder.encode(ever, site).false):
            denial = s.DidNot(event)
            name = format_rule(event.step)
            message = f"{quote(node)} also includes people who never did `{name}` (E5)"
            self._found.add("NOT_THE_FIRST_TIME", node, message, format_rule(s.AllOf((ever, denial))))

    def check_windows(self, node: s.Node) -> None:
        """Reports windows that can contain no events, either ever or until a future date."""
        for window in _windows(node):
            start, end = self._encoder.timeline.event_span(window)
            if self._encoder.timeline.is_never_later(end, start):
                message = f"{quote(window)} is empty: it ends where it begins"
                self._found.add("EMPTY_WINDOW", window, message)
            elif self._encoder.timeline.is_fixed_future(start):
                message = f"{quote(window)} has not begun yet, so it has no events yet (T1)"
                self._found.add("EMPTY_WINDOW", window, message)

    def _check_person_in_where(self, node: s.Cond, site: Site) -> None:
        """Reports values of the person inside `where` (E9)."""
        for path in _paths(node):
            if not isinstance(self._encoder.values.meaning(path, site), names.EventChannel | names.Property):
                message = (
                    f"`{format_rule(path)}` is the person's value at the time of the evaluation, "
                    f"not at the time of the event (E9)"
                )
                self._found.add("PERSON_IN_WHERE", path, message)


def _texts(node: s.Cond) -> tuple[s.Expr | None, list[s.Text]]:
    """Returns the value that the condition compares with text literals, and the literals."""
    match node:
        case s.Compare(left=expr, op="=" | "!=", right=s.Text() as text):
            return expr, [text]
        case s.InList() | s.NotInList() | s.HasAny() | s.HasAll() | s.HasNone():
            return node.expr, [item for item in node.items if isinstance(item, s.Text)]
    return None, []


def _with(node: Any, text: s.Text, other: s.Text) -> s.Node:
    if isinstance(node, s.Compare):
        return replace(node, right=other)
    same: s.Node = replace(node, items=tuple(other if item is text else item for item in node.items))
    return same


def _values(cond: s.Node) -> Iterator[s.Expr]:
    """Yields the values that conditions compare or test, except literals and values inside filters of events."""
    for child in s.iter_children(cond):
        if isinstance(child, (s.Path, s.Arithmetic, s.Default, s.Aggregate, s.Tile)):
            yield child
        elif not isinstance(child, (s.Event, s.FirstEvent, s.Sequence, s.Ref)):
            yield from _values(child)


def _paths(node: s.Node) -> Iterator[s.Path]:
    """Yields the paths of the node's own values, not those inside aggregates, which belong to the person."""
    for child in s.iter_children(node):
        if isinstance(child, s.Path):
            yield child
        elif not isinstance(child, s.Aggregate):
            yield from _paths(child)


def _windows(node: s.Node) -> Iterator[s.Window]:
    """Yields the windows of events, membership changes and aggregates, except those inside filters of events."""
    if isinstance(node, (s.Event, s.FirstEvent, s.Sequence, s.EnteredSegment, s.LeftSegment, s.Aggregate)):
        if node.window is not None and not isinstance(node.window, s.Recurrence):
            yield node.window
        return
    for child in s.iter_children(node):
        yield from _windows(child)
