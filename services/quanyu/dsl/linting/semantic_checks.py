"""What an author may not mean: the unknown left out or taken in, first times, people inside `where`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.linting.findings import Findings, listed, shown
from quanyu.dsl.linting.proving import (
    Claims,
    Formula,
    Place,
    denied,
)
from quanyu.dsl.model.types import nfkc, nfkc_set

_NAMED = 3  # so many unknown values are spelled out in a suggestion
_SEARCHED = 2_000  # of more values than these the nearest one is not looked for


class Pitfalls:
    def __init__(self, claims: Claims, found: Findings) -> None:
        self._claims, self._found = claims, found

    def of(self, node: s.Cond, place: Place, given: Sequence[Formula], wanted: bool) -> None:
        """Of one condition, without its parts, where all of `given` is so; `wanted`: it matters where it is true."""
        match node:
            case s.IncludingUnknown(operand=inner):
                self._nothing_unknown(node, inner, place, given)
            case s.Not(operand=s.InSegment(ref=ref)) if wanted:
                self._denied_segment(node, ref, given)
            case s.DidNot(pattern=s.FirstEvent() as event) if wanted:
                self._not_the_first_time(node, event, place, given)
            case s.Not(operand=s.Did(pattern=s.FirstEvent() as event)) if wanted:
                self._not_the_first_time(node, event, place, given)
        if wanted and (isinstance(node, s.Not) or s.strip_not(node) is not None):
            self._left_out(node, place, given)
        if not isinstance(node, (s.AllOf, s.AnyOf, s.Not, s.IncludingUnknown)):
            self.windows(node)
            self.undeclared(node, place)
            if place.step is not None:
                self._of_person(node, place)

    # unknown

    def _nothing_unknown(self, node: s.IncludingUnknown, inner: s.Cond, place: Place, given: Sequence[Formula]) -> None:
        if self._claims.prover.refuted(*given, self._claims.truth(inner, place).unknown):
            message = f"{shown(inner)} is never unknown here, so `including unknown` changes nothing (U7)"
            self._found.add("NOTHING_UNKNOWN", node, message, format_rule(inner))

    def _left_out(self, node: s.Cond, place: Place, given: Sequence[Formula]) -> None:
        if not self._claims.prover.possible(*given, self._claims.truth(node, place).unknown):
            return
        values = self.unknowable(node, place, given)
        if not values:
            return
        who, are = ("an event", "is") if place.step else ("people", "are")
        shown_values = listed([shown(value) for value in values])
        message = f"{who} whose {shown_values} is unknown {are} left out: `not` does not make the unknown true (U2)"
        including = format_rule(s.IncludingUnknown(node))
        known = tuple(s.IsKnown(value) for value in values[:_NAMED])
        self._found.add("NOT_LEAVES_OUT_UNKNOWN", node, message, including, format_rule(s.AllOf((*known, node))))

    def _denied_segment(self, node: s.Cond, ref: s.Ref, given: Sequence[Formula]) -> None:
        segment = self._claims.worths.rule(ref)
        place = Place(among=segment.among, rule=ref.name)
        if not self._claims.prover.possible(*given, self._claims.truth(segment.cond, place).unknown):
            return
        values = self.unknowable(segment.cond, place, given)
        if not values:
            return
        shown_values = listed([shown(value) for value in values])
        message = (
            f"{shown(node)} also takes those of whom {shown_values} is unknown: who is not surely in is not in (U4)"
        )
        known = tuple(s.IsKnown(value) for value in values[:_NAMED])
        self._found.add("DENIED_SEGMENT_TAKES_UNKNOWN", node, message, format_rule(s.AllOf((*known, node))))

    def unknowable(self, cond: s.Cond, place: Place, given: Sequence[Formula] = ()) -> list[s.Expr]:
        """The values that a condition rests on and that may be unknown, each once."""
        found: dict[str, s.Expr] = {}
        for expr in _values(cond):
            if self._claims.prover.possible(*given, denied(self._claims.worths.known(expr, place))):
                found.setdefault(format_rule(expr), expr)
        return list(found.values())

    # values

    def undeclared(self, node: s.Cond, place: Place) -> None:
        """Texts that a field with known values has never had: a slip of the pen holds nobody."""
        expr, texts = _texts(node)
        if expr is None or not texts:
            return
        values = self._claims.worths.kind(expr, place).values
        for text in texts if values else ():
            if nfkc(text.value) in nfkc_set(values):
                continue
            near = names.nearest(text.value, values)[:1] if len(values) <= _SEARCHED else []
            offers = [format_rule(_with(node, text, s.Text(value))) for value in near]
            message = f"{shown(text)} is no value of {shown(expr)} that is declared or was ever seen"
            self._found.add("UNDECLARED_VALUE", text, message, *offers)

    # events

    def _not_the_first_time(self, node: s.Cond, event: s.FirstEvent, place: Place, given: Sequence[Formula]) -> None:
        ever = s.Did(s.Event(event.step))
        if self._claims.prover.possible(*given, self._claims.truth(ever, place).false):
            denial = s.DidNot(event)
            name = format_rule(event.step)
            message = f"{shown(node)} also takes those who never did `{name}` (E5)"
            self._found.add("NOT_THE_FIRST_TIME", node, message, format_rule(s.AllOf((ever, denial))))

    def windows(self, node: s.Node) -> None:
        """Windows over events in which none can lie: for ever, or until a written day comes."""
        for window in _windows(node):
            start, end = self._claims.moments.of_events(window)
            if self._claims.moments.never_later(end, start):
                message = f"{shown(window)} is no time at all: it ends where it begins"
                self._found.add("EMPTY_WINDOW", window, message)
            elif self._claims.moments.is_to_come(start):
                message = f"{shown(window)} has not begun yet, so there are no events in it until then (T1)"
                self._found.add("EMPTY_WINDOW", window, message)

    def _of_person(self, node: s.Cond, place: Place) -> None:
        """E9"""
        for path in _paths(node):
            if not isinstance(self._claims.worths.meaning(path, place), names.EventChannel | names.Property):
                message = (
                    f"`{format_rule(path)}` is a value of the person as of the question, "
                    f"not as it was when the event happened (E9)"
                )
                self._found.add("PERSON_IN_WHERE", path, message)


def _texts(node: s.Cond) -> tuple[s.Expr | None, list[s.Text]]:
    """What is compared with written texts, and those."""
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
    """The values that conditions compare or test, without literals; not those inside the filters of events."""
    for child in s.iter_children(cond):
        if isinstance(child, (s.Path, s.Arithmetic, s.Default, s.Aggregate, s.Tile)):
            yield child
        elif not isinstance(child, (s.Event, s.FirstEvent, s.Sequence, s.Ref)):
            yield from _values(child)


def _paths(node: s.Node) -> Iterator[s.Path]:
    """Those of the node's own values; an aggregate is the person's whatever stands in it."""
    for child in s.iter_children(node):
        if isinstance(child, s.Path):
            yield child
        elif not isinstance(child, s.Aggregate):
            yield from _paths(child)


def _windows(node: s.Node) -> Iterator[s.Window]:
    """Of what happened, of moves, and of what is counted, but not inside the filters of events."""
    if isinstance(node, (s.Event, s.FirstEvent, s.Sequence, s.EnteredSegment, s.LeftSegment, s.Aggregate)):
        if node.window is not None and not isinstance(node.window, s.Recurrence):
            yield node.window
        return
    for child in s.iter_children(node):
        yield from _windows(child)
