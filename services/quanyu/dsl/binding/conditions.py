"""Binds and checks conditions: types (C), scopes (E9, N4), times (T13) and versions of names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import corrections, names, references
from quanyu.dsl.binding.expressions import Expressions, reject_unranked
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.types import (
    Type,
    can_unify,
    common_order,
    unify,
)

_CALENDAR = (
    s.LastUnits,
    s.NextUnits,
    s.LastUnit,
    s.ThisUnit,
    s.NextUnit,
    s.Month,
    s.Today,
    s.Yesterday,
    s.Tomorrow,
    s.OnDay,
)
_SETS_AND_RANKS = "about people, so it cannot be used inside `where`, which is about one event (E9)"
MAX_STEPS = 32  # per sequence


class Conditions:
    def __init__(self) -> None:
        self.expressions = Expressions(self.bind)

    def bind(self, node: s.Cond, scope: Scope) -> s.Cond:
        """Returns the condition with every name bound. Raises RuleError if a part of it has no meaning."""
        self._reject_misplaced(node, scope)
        bound: s.Cond
        match node:
            case s.AllOf() | s.AnyOf():
                bound = replace(node, operands=tuple(self.bind(part, scope) for part in node.operands))
            case s.Not() | s.IncludingUnknown():
                bound = replace(node, operand=self.bind(node.operand, scope))
            case s.Compare():
                bound = self._compare(node, scope)
            case s.Between() | s.NotBetween():
                bound = self._between(node, scope)
            case s.BetweenAgo() | s.NotBetweenAgo():
                bound = self._between_ago(node, scope)
            case s.InList() | s.NotInList():
                bound = self._in_list(node, scope)
            case s.HasAny() | s.HasAll() | s.HasNone():
                bound = self._has(node, scope)
            case s.InWindow() | s.NotInWindow():
                bound = self._in_time(node, scope)
            case s.InTop() | s.InBottom():
                bound = self._ranked(node, scope)
            case s.IsKnown() | s.IsUnknown():
                bound = replace(node, expr=self.expressions.bind(node.expr, scope)[0])
            case s.Anniversary() | s.NotAnniversary():
                bound = self._anniversary(node, scope)
            case s.Near():
                bound = self._near(node, scope)
            case s.Did() | s.DidNot():
                bound = self._did(node, scope)
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                _reject_in_step(node, "a segment is", scope)
                bound = replace(node, ref=references.bind_segment(node.ref, scope))
            case s.Sample():
                bound = _sample(node, scope)
            case _:
                bound = self._text_test(node, scope)
        return bound

    def _reject_misplaced(self, node: s.Cond, scope: Scope) -> None:
        """Rejects a property or an event in the position of a value of the person."""
        value = node.left if isinstance(node, s.Compare) else getattr(node, "expr", None)
        if scope.step is not None or not isinstance(value, s.Path) or not names.is_outside_person(value, scope):
            return
        if names.is_events(value, scope):
            message = f"`{value.ref.name}` is a set of events, not a value: ask whether, how often or when"
            raise RuleError.at(value.span, "name", message, *corrections.suggest_event_values(node, value))
        corrections.reject_property_outside_where(node, scope.catalog)

    # comparisons

    def _compare(self, node: s.Compare, scope: Scope) -> s.Cond:
        left, a = self.expressions.bind(node.left, scope)
        right, b = self.expressions.bind_beside(node.right, a, scope, node.op)
        _reject_wholes(node, a, b)
        _reject_recency(node, a, b)
        if {a.kind, b.kind} == {"instant", "date"}:
            _reject_attribute_days(node, a, b)
        else:
            _reject_mixed(node, a, b)
            self._reject_order(node, a, b)
        return replace(node, left=left, right=right)

    def _reject_order(self, node: s.Compare, a: Type, b: Type) -> None:
        """Rejects `<` between values without an order (C2) and `=` between an instant and a minute (C4)."""
        if node.op in ("=", "!="):
            written = next((side for side in (node.left, node.right) if isinstance(side, s.DateTime)), None)
            if written is not None:
                minute = f"{written.value:%Y-%m-%d %H:%M}"
                following = f"{written.value + dt.timedelta(minutes=1):%Y-%m-%d %H:%M}"
                name = format_rule(node.left if written is node.right else node.right)
                message = f"`{node.op}` cannot compare an instant with a minute (C4)"
                offered = [f"{name} between {minute} and {following}", f"{name} > {minute}"]
                raise RuleError.at(node.span, "type", message, *offered)
            return
        kind = unify(a, b) or a
        if kind.kind in ("text", "bool"):
            offered = [format_rule(replace(node, op=op)) for op in ("=", "!=")]
            raise RuleError.at(node.span, "type", f"{kind} has no order, so `{node.op}` does not apply", *offered)
        if kind.kind == "enum" and common_order(a, b) is None:
            raise order_error(node, a, b)

    def _between(self, node: s.Between | s.NotBetween, scope: Scope) -> s.Cond:
        expr, kind = self.expressions.bind(node.expr, scope)
        low, a = self.expressions.bind_beside(node.low, kind, scope)
        high, b = self.expressions.bind_beside(node.high, kind, scope)
        if kind.family in ("text", "bool", "set", "map", "point"):
            offered = corrections.suggest_enum_range(node) if kind.ordered else []
            raise RuleError.at(node.expr.span, "type", f"`between` does not apply to {kind}", *offered)
        if kind.kind == "recency" and all(isinstance(end, s.Date | s.DateTime) for end in (node.low, node.high)):
            return replace(node, expr=expr)  # a window like any other, in which its event lies (G16, C3)
        for end, written in ((a, node.low), (b, node.high)):
            compare = s.Compare(node.expr, "<", written, span=written.span)
            _reject_recency(compare, kind, end)
            if {kind.kind, end.kind} == {"instant", "date"}:
                _reject_attribute_days(compare, kind, end)
            else:
                _reject_mixed(compare, kind, end)
        return replace(node, expr=expr, low=low, high=high)

    def _between_ago(self, node: s.BetweenAgo | s.NotBetweenAgo, scope: Scope) -> s.Cond:
        for end in (node.low, node.high):
            if not isinstance(end, s.Duration):
                raise RuleError.at(end.span, "type", "`between ... ago` takes two durations", "between 7d and 30d ago")
        expr, kind = self.expressions.bind(node.expr, scope)
        _reject_elapsed(node.expr, kind, f"{format_rule(node.expr)} in last 30 calendar days")
        if kind.kind not in ("instant", "recency"):
            raise RuleError.at(node.expr.span, "type", f"{kind} is not a point in time")
        return replace(node, expr=expr)

    def _in_list(self, node: s.InList | s.NotInList, scope: Scope) -> s.Cond:
        expr, kind = self.expressions.bind(node.expr, scope)
        if kind.family not in ("text", "number", "money", "bool", "set", "any"):
            raise RuleError.at(node.expr.span, "type", f"{kind} cannot be in a list: write `between ... and ...`")
        return replace(node, expr=expr, items=self._items(node.items, kind, scope))

    def _has(self, node: s.HasAny | s.HasAll | s.HasNone, scope: Scope) -> s.Cond:
        expr, kind = self.expressions.bind(node.expr, scope)
        if kind.kind != "set":
            denied = isinstance(node, s.HasNone)
            offered = format_rule((s.NotInList if denied else s.InList)(node.expr, node.items))
            raise RuleError.at(node.expr.span, "type", f"`has` takes a set, but this is {kind} (C9)", offered)
        return replace(node, expr=expr, items=self._items(node.items, kind, scope))

    def _items(self, items: tuple[s.Expr, ...], kind: Type, scope: Scope) -> tuple[s.Expr, ...]:
        member = Type("enum", values=kind.values) if kind.kind == "set" else kind
        bound = []
        for item in items:
            expr, found = self.expressions.bind_beside(item, member, scope)
            _reject_untyped(item.span, member, found)
            if not can_unify(member, found):
                message = f"this is {found}, but the other side is {member} (C2)"
                raise RuleError.at(item.span, "type", message, *corrections.suggest_values(item, member))
            member = found if member.kind == "any" else member
            bound.append(expr)
        return tuple(bound)

    def _text_test(self, node: Any, scope: Scope) -> s.Cond:
        expr, kind = self.expressions.bind(node.expr, scope)
        if kind.family not in ("text", "any"):
            offered = [format_rule(s.HasAny(node.expr, (node.value,)))] if kind.kind == "set" else []
            raise RuleError.at(node.expr.span, "type", f"this test takes text, but this is {kind}", *offered)
        if not isinstance(node.value, s.Text):
            quoted = node.value.ref.name if isinstance(node.value, s.Path) else format_rule(node.value)
            raise RuleError.at(node.value.span, "type", "write a text in quotes here", f"'{quoted}'")
        if isinstance(node, (s.Matches, s.NotMatches)):
            _reject_backtracking(node.value)
        bound: s.Cond = replace(node, expr=expr)
        return bound

    # time, ranks, places

    def _in_time(self, node: s.InWindow | s.NotInWindow, scope: Scope) -> s.Cond:
        expr, kind = self.expressions.bind(node.expr, scope)
        if kind.kind == "month_day":
            offered = [f"anniversary of {format_rule(node.expr)} {format_rule(node.window)}"]
            has_years = not isinstance(node.window, _CALENDAR)
            raise RuleError.at(node.expr.span, "type", "a month-day has no year", *([] if has_years else offered))
        if kind.kind == "date" and not _whole_days(node.window):
            _reject_elapsed(node.expr, kind, *_in_days(node))
        if kind.kind not in ("date", "instant", "recency"):
            raise RuleError.at(node.expr.span, "type", f"{kind} is not a point in time")
        return replace(node, expr=expr)

    def _ranked(self, node: s.InTop | s.InBottom, scope: Scope) -> s.Cond:
        _reject_in_step(node, "a rank is", scope)
        expr, kind = self.expressions.bind(node.expr, scope)
        reject_unranked(node.expr, kind, corrections.suggest_ranked_instant(node))
        self.expressions.bind(node.size, scope)
        return replace(node, expr=expr, among=references.bind_segment(node.among, scope) if node.among else None)

    def _anniversary(self, node: s.Anniversary | s.NotAnniversary, scope: Scope) -> s.Cond:
        path, kind = self.expressions.bind(node.path, scope)
        if kind.kind not in ("date", "month_day"):
            raise RuleError.at(
                node.path.span, "type", f"only a date or a month-day has anniversaries, but this is {kind}"
            )
        return replace(node, path=path)  # type: ignore[arg-type]

    def _near(self, node: s.Near, scope: Scope) -> s.Cond:
        places: list[Any] = []
        for place in (node.path, node.center):
            if isinstance(place, s.Point):
                places.append(place)
                continue
            bound, kind = self.expressions.bind(place, scope)
            if kind.kind not in ("point", "any"):
                raise RuleError.at(place.span, "type", f"write a point here: this is {kind}", "(31.2304, 121.4737)")
            places.append(bound)
        return replace(node, path=places[0], center=places[1])

    # events

    def _did(self, node: s.Did | s.DidNot, scope: Scope) -> s.Cond:
        _reject_in_step(node, "`did` is", scope)
        pattern = node.pattern
        if isinstance(pattern, s.Sequence):
            return replace(node, pattern=self._sequence(pattern, scope))
        return replace(node, pattern=replace(pattern, step=self.step(pattern.step, scope)))

    def _sequence(self, node: s.Sequence, scope: Scope) -> s.Sequence:
        if sum(isinstance(item, s.ThenStep) for item in node.later_steps) >= MAX_STEPS:
            raise RuleError.at(node.span, "limit", f"a sequence has at most {MAX_STEPS} steps")
        first = self.step(node.first, scope)
        later_steps = tuple(replace(item, step=self.step(item.step, scope)) for item in node.later_steps)
        by = self._common(node.by, [first, *(item.step for item in later_steps)], scope) if node.by else None
        return replace(node, first=first, later_steps=later_steps, by=by)

    def _common(self, by: s.Path, steps: Sequence[s.Step], scope: Scope) -> s.Path:
        """Binds the path of `by`: every event of the sequence has it, and it is a single value (Q6, Q7)."""
        path, keys, types = names.common_property(by, [step.ref for step in steps], scope)
        kind = self.expressions.type_of_property(by.span, keys, types, scope)
        if kind.kind in ("set", "map", "point"):
            raise RuleError.at(
                by.span, "type", f"`by` takes a single value, but a {kind} cannot be compared as a whole (C5)"
            )
        return path

    def step(self, step: s.Step, scope: Scope) -> s.Step:
        ref = references.bind_events(step.ref, scope)
        where = self.bind(step.where, scope.for_events(ref)) if step.where else None
        return replace(step, ref=ref, where=where)


def _reject_in_step(node: s.Node, what: str, scope: Scope) -> None:
    if scope.step is not None:
        raise RuleError.at(node.span, "scope", f"{what} {_SETS_AND_RANKS}")


def _sample(node: s.Sample, scope: Scope) -> s.Sample:
    _reject_in_step(node, "a sample is", scope)
    if node.seed is None and scope.rule is None:
        percent = f"{node.percent.value}%"
        message = "a sample outside a segment or tag needs a seed (S2)"
        raise RuleError.at(node.span, "scope", message, f"sample {percent} seed '...'")
    return node


def _reject_wholes(node: s.Compare, a: Type, b: Type) -> None:
    if "set" in (a.kind, b.kind):
        raise RuleError.at(
            node.span, "type", "a set cannot be compared as a whole (C5)", *corrections.suggest_set_tests(node)
        )
    if "map" in (a.kind, b.kind):
        raise RuleError.at(node.span, "type", "a map cannot be compared as a whole: name one of its keys (N10)")
    if "point" in (a.kind, b.kind):
        example = f"{format_rule(node.left)} within 3km of (31.2304, 121.4737)"
        raise RuleError.at(node.span, "type", "a point cannot be compared as a whole", example)


def order_error(node: s.Compare, a: Type, b: Type) -> RuleError:
    """Returns the error for two enums without a common order (C2)."""
    if not (a.ordered or b.ordered):
        message = f"the values of this enum have no declared order, so `{node.op}` does not apply"
        offered = [format_rule(s.InList(node.left, (node.right,)))] if isinstance(node.right, s.Text | s.Path) else []
        return RuleError.at(node.span, "type", message, *offered)
    declared, other = (a, node.right) if a.ordered else (b, node.left)
    if isinstance(other, s.Text):
        message = f"'{other.value}' is not in the order {' < '.join(declared.values)}"
        return RuleError.at(other.span, "value", message, *(f"'{value}'" for value in declared.values))
    return RuleError.at(node.span, "type", f"these enums have no order in common, so `{node.op}` does not apply")


def _reject_recency(node: s.Compare, a: Type, b: Type) -> None:
    """Rejects `=` for a recency, and a date beside it: it compares only with durations and recencies (C1)."""
    if "recency" not in (a.kind, b.kind):
        return
    recency, other = (a, node.right) if a.kind == "recency" else (b, node.left)
    against = b if recency is a else a
    if against.kind in ("date", "instant"):
        path = node.left if recency is a else node.right
        message = "a recency is a length of time, so it cannot be compared with a date: the sign would be reversed (C1)"
        offered = corrections.suggest_instant_comparison(node, path, _written(other))
        raise RuleError.at(node.span, "type", message, *offered)
    if node.op in ("=", "!="):
        message = "a recency is exact to the millisecond, so `=` is never true (C1)"
        raise RuleError.at(node.span, "type", message, *corrections.suggest_recency_range(node))


def _written(expr: s.Expr) -> str:
    if isinstance(expr, s.Date):
        return expr.value.isoformat()
    return f"{expr.value:%Y-%m-%d %H:%M}" if isinstance(expr, s.DateTime) else ""


def _reject_attribute_days(node: s.Compare, a: Type, b: Type) -> None:
    """Rejects a date attribute beside an instant (C2) or a written time (T13). A written DATE is allowed (C4)."""
    date, instant = (a, b) if a.kind == "date" else (b, a)
    if not date.literal:
        if instant.literal:
            written = node.right if a.kind == "date" else node.left
            day = replace(node, right=s.Date(written.value.date())) if isinstance(written, s.DateTime) else node
            _reject_elapsed(node.left if a.kind == "date" else node.right, date, format_rule(day))
        raise RuleError.at(node.span, "type", "a date and an instant cannot be compared (C2)")


def _reject_mixed(node: s.Compare, a: Type, b: Type) -> None:
    _reject_untyped(node.span, a, b)
    if a.kind == b.kind == "money" and a.currency != b.currency:
        raise RuleError.at(node.span, "type", f"this compares two currencies, {a} and {b} (A9)")
    if not can_unify(a, b):
        whole = corrections.suggest_clauses(node, a, b)
        message = f"this is {b}, but the other side is {a} (C2)"
        raise RuleError.at(node.right.span, "type", message, *(whole or corrections.suggest_values(node.right, a)))


def _reject_untyped(span: s.Span, a: Type, b: Type) -> None:
    """Rejects two entries of maps: an entry takes the type of the other side (C2)."""
    if a.kind == b.kind == "any":
        raise RuleError.at(span, "type", "values of maps have no declared type, so two of them cannot be compared")


def _reject_elapsed(expr: s.Expr, kind: Type, *offered: str) -> None:
    if kind.kind == "date":
        message = "a date has no time of day, so elapsed time has no meaning for it (T13)"
        raise RuleError.at(expr.span, "time", message, *offered)


def _in_days(node: s.InWindow | s.NotInWindow) -> list[str]:
    """Suggests the clause with the calendar window nearest to its elapsed time, or with days instead of times."""
    window: s.Window = node.window
    match window:
        case s.LastElapsed() | s.NextElapsed():
            days = -(-window.duration.ms // s.ELAPSED_MS["d"])
            whole = s.NextUnits if isinstance(window, s.NextElapsed) else s.LastUnits
            return [format_rule(replace(node, window=whole(days, "day")))]
        case s.Since(when=s.DateTime(value=moment)) | s.Before(when=s.DateTime(value=moment)):
            return [format_rule(replace(node, window=replace(window, when=s.Date(moment.date()))))]
    return []


def _whole_days(window: s.Window) -> bool:
    ends = (window.when,) if isinstance(window, (s.Since, s.Before)) else ()
    return isinstance(window, _CALENDAR) or any(isinstance(end, s.Date) for end in ends)


def _reject_backtracking(pattern: s.Text) -> None:
    """Rejects look-around and back-references, which RE2 does not support (C7)."""
    if re.search(r"\(\?(=|!|<=|<!)", pattern.value) or re.search(r"(?<!\\)(\\\\)*\\[1-9]", pattern.value):
        raise RuleError.at(pattern.span, "value", "a pattern cannot use look-around or back-references (RE2)")
