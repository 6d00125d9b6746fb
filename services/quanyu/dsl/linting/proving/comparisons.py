"""What tests of values say: comparisons, lists, sets, texts, points in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving.moments import (
    Ago,
    Fixed,
    Moment,
    Moments,
)
from quanyu.dsl.linting.proving.ranges import TRULY, Choice, Numbers
from quanyu.dsl.linting.proving.subjects import (
    Before,
    Says,
    Sign,
    Tally,
    TextTest,
)
from quanyu.dsl.linting.proving.truth import (
    ALWAYS,
    NEVER,
    Formula,
    Truth,
    both,
    denied,
    either,
    says,
)
from quanyu.dsl.linting.proving.value_domains import (
    Place,
    Worths,
    none,
    some,
)
from quanyu.dsl.model.types import Type, common_order, nfkc

_FLIPPED: dict[str, s.ComparisonOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_SIGNS = {
    "<": Choice.of("<"),
    "<=": Choice.of("<", "="),
    ">": Choice.of(">"),
    ">=": Choice.of(">", "="),
    "=": Choice.of("="),
    "!=": Choice.of("<", ">"),
}
_TEXT_TESTS: dict[type[s.Node], Any] = {
    s.Contains: "contains",
    s.StartsWith: "starts with",
    s.EndsWith: "ends with",
    s.Matches: "matches",
}
_TIMES = ("instant", "date", "recency", "duration")


@dataclass(frozen=True)
class Comparisons:
    """`instants`, `days`: the moments that instants and dates are compared with."""

    worths: Worths
    instants: Moments
    days: Moments

    def truth(self, node: s.Cond, place: Place) -> Truth | None:
        """None: it is no test of values."""
        match node:
            case s.Compare(left=left, op=cmp, right=right):
                return self.compare(left, cmp, right, place)
            case s.Between():
                return self._between(node, place)
            case s.BetweenAgo(expr=expr, low=s.Duration() as low, high=s.Duration() as high):
                return self._in_time(expr, s.BetweenDurations(low, high, span=node.span), place)
            case s.InWindow(expr=expr, window=window):
                return self._in_time(expr, window, place)
            case s.InList(expr=expr, items=items):
                return self._in_list(expr, items, place)
            case s.HasAny(expr=expr, items=items):
                return self._members(expr, items, place, either)
            case s.HasAll(expr=expr, items=items):
                return self._members(expr, items, place, both)
            case s.HasNone(expr=expr, items=items):
                return ~self._members(expr, items, place, either)
            case s.IsKnown(expr=expr):
                return Truth.where(self.worths.known(expr, place))
            case s.IsUnknown(expr=expr):
                return ~Truth.where(self.worths.known(expr, place))
            case s.Contains() | s.StartsWith() | s.EndsWith() | s.Matches():
                return self._text(node, place)
        return None

    # comparisons

    def compare(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, place: Place) -> Truth:
        """Where one side has a default, case by case (G3)."""
        cases = [
            (both(one, other), self._compare(a, cmp, b, place))
            for one, a in self._cases(left, self.worths.kind(right, place), place)
            for other, b in self._cases(right, self.worths.kind(left, place), place)
        ]
        true = either(*(both(case, truth.true) for case, truth in cases))
        return Truth(true, either(*(both(case, truth.false) for case, truth in cases)))

    def _cases(self, expr: s.Expr, beside: Type, place: Place) -> list[tuple[Formula, s.Expr]]:
        if not isinstance(expr, s.Default):
            return [(ALWAYS, expr)]
        beside = beside if beside.kind != "any" else self.worths.kind(expr, place)
        known = self.worths.known(expr.expr, place, beside)
        first = [(both(known, case), value) for case, value in self._cases(expr.expr, beside, place)]
        return first + [
            (both(denied(known), case), value) for case, value in self._cases(expr.otherwise, beside, place)
        ]

    def _compare(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, place: Place) -> Truth:
        if _is_literal(left) and not _is_literal(right):
            return self._compare(right, _FLIPPED[cmp], left, place)
        a, b = self.worths.kind(left, place), self.worths.kind(right, place)
        known = both(self.worths.known(left, place, b), self.worths.known(right, place, a))
        return Truth.where(self._holds(left, cmp, right, a, b, place), known)

    def _holds(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, a: Type, b: Type, place: Place) -> Formula:
        """Where both sides are known."""
        if a.kind in _TIMES and _is_literal(right):
            return self._in_order(left, cmp, right, a, place)
        if a.numeric and b.numeric:
            return self._numbers(left, cmp, right, place)
        if isinstance(right, (s.Text, s.Boolean)):
            return self._chosen(left, cmp, right, a, b, place)
        return self._signed(self.worths.key(left, place), cmp, self.worths.key(right, place))

    def _numbers(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, place: Place) -> Formula:
        one, other = self.worths.measure(left, place), self.worths.measure(right, place)
        difference = one + other.times(Fraction(-1))
        if difference is None:
            return self._signed(one, cmp, other)
        return self.worths.measured(difference, Numbers.where(cmp, 0))

    @staticmethod
    def _signed(one: Any, cmp: s.ComparisonOperator, other: Any) -> Formula:
        """Two values that differ from person to person: only how they compare."""
        if one == other:
            return ALWAYS if cmp in ("=", "<=", ">=") else NEVER
        if repr(one) > repr(other):
            one, cmp, other = other, _FLIPPED[cmp], one
        return says(Sign(one, other), _SIGNS[cmp])

    def _chosen(
        self, expr: s.Expr, cmp: s.ComparisonOperator, right: s.Text | s.Boolean, a: Type, b: Type, place: Place
    ) -> Formula:
        subject = self.worths.chosen(expr, a, place)
        value = nfkc(right.value) if isinstance(right, s.Text) else right.value
        if cmp in ("=", "!="):
            return says(subject, Choice.of(value) if cmp == "=" else ~Choice.of(value))
        order = common_order(a, b)
        if order is None or value not in order:
            return says(Says((subject.key, cmp, value)), TRULY)
        at = order.index(str(value))
        fits = {"<": order[:at], "<=": order[: at + 1], ">": order[at + 1 :], ">=": order[at:]}[cmp]
        return says(subject, Choice.of(*fits))

    def _in_list(self, expr: s.Expr, items: Sequence[s.Expr], place: Place) -> Truth:
        kind = self.worths.kind(expr, place)
        if kind.kind == "set":
            return self._members(expr, items, place, either)
        if all(map(_is_literal, items)) and not isinstance(expr, s.Default):
            return self._written(expr, items, kind, place)
        truths = [self.compare(expr, "=", item, place) for item in items]
        return Truth(either(*(t.true for t in truths)), both(*(t.false for t in truths)))

    def _written(self, expr: s.Expr, items: Sequence[s.Expr], kind: Type, place: Place) -> Truth:
        known = self.worths.known(expr, place, self.worths.kind(items[0], place))
        if isinstance(items[0], (s.Number, s.Percent)):
            numbers = Numbers.of(self.worths.measure(item, place).offset for item in items)
            return Truth.where(self.worths.number(expr, numbers, place), known)
        values = [
            nfkc(item.value) if isinstance(item, s.Text) else item.value
            for item in items
            if isinstance(item, s.Text | s.Boolean)
        ]
        return Truth.where(says(self.worths.chosen(expr, kind, place), Choice.of(*values)), known)

    def _members(self, expr: s.Expr, items: Sequence[s.Expr], place: Place, joined: Callable[..., Formula]) -> Truth:
        """U3: with an unknown item it is true if another decides it."""
        key, known = self.worths.key(expr, place), self.worths.known(expr, place)
        truths = []
        for item in items:
            name = nfkc(item.value) if isinstance(item, s.Text) else self.worths.key(item, place)
            holds = says(Says((key, "has", name)), TRULY)
            truths.append(Truth.where(holds, both(known, self.worths.known(item, place))))
        other = both if joined is either else either
        return Truth(joined(*(t.true for t in truths)), other(*(t.false for t in truths)))

    def _text(self, node: s.Contains | s.StartsWith | s.EndsWith | s.Matches, place: Place) -> Truth:
        assert isinstance(node.value, s.Text)
        test, text = _TEXT_TESTS[type(node)], node.value.value
        kind = self.worths.kind(node.expr, place)
        known = self.worths.known(node.expr, place, Type("text"))
        if test != "matches" and not text:
            return Truth.where(ALWAYS, known)
        key = self.worths.chosen(node.expr, kind, place).key
        subject = TextTest(key, test, text if test == "matches" else nfkc(text))
        return Truth.where(says(subject, TRULY), known)

    # time

    def _between(self, node: s.Between, place: Place) -> Truth:
        in_time = self.worths.kind(node.expr, place).kind in ("instant", "date", "recency")
        if in_time and isinstance(node.low, (s.Date, s.DateTime)) and isinstance(node.high, (s.Date, s.DateTime)):
            return self._in_time(node.expr, s.BetweenDays(node.low, node.high, span=node.span), place)
        until: s.ComparisonOperator = "<" if isinstance(node.high, s.DateTime) else "<="  # T9
        low, high = self.compare(node.expr, ">=", node.low, place), self.compare(node.expr, until, node.high, place)
        return Truth(both(low.true, high.true), either(low.false, high.false))

    def _in_time(self, expr: s.Expr, window: s.Window, place: Place) -> Truth:
        start, end = self._moments(self.worths.kind(expr, place)).of(window)
        inside = both(denied(self.before(expr, start, place)), self.before(expr, end, place))
        return Truth.where(inside, self.worths.known(expr, place))

    def _moments(self, kind: Type) -> Moments:
        return self.days if kind.kind == "date" else self.instants

    def _in_order(self, expr: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, kind: Type, place: Place) -> Formula:
        """An instant, a date or a recency against a written one."""
        if isinstance(right, s.Duration):
            if isinstance(expr, s.Duration):
                return ALWAYS if Numbers.where(cmp, right.ms) & Numbers.where("=", expr.ms) else NEVER
            longer = cmp in (">", ">=")  # to the millisecond (C1)
            before = self.before(expr, Ago(right.ms - (cmp in (">=", "<"))), place)
            return before if longer else denied(before)
        moments = self._moments(kind)
        if isinstance(right, s.Date):
            start, end = moments.when(right), moments.day_after(right)
        else:
            assert isinstance(right, s.DateTime)
            start = moments.when(right)
            end = Fixed(start.at + 1)
        if isinstance(expr, (s.Date, s.DateTime)):  # two written ones
            return says(Says((expr, cmp, right)), TRULY)
        before, beyond = self.before(expr, start, place), denied(self.before(expr, end, place))
        return {
            "<": before,
            "<=": denied(beyond),
            ">": beyond,
            ">=": denied(before),
            "=": both(denied(before), denied(beyond)),
            "!=": either(before, beyond),
        }[cmp]

    def before(self, expr: s.Expr, moment: Moment, place: Place) -> Formula:
        """Where it is known, it lies before the moment: of first and last events, whether there are others."""
        if isinstance(moment, Fixed) and abs(moment.at) == float("inf"):
            return ALWAYS if moment.at > 0 else NEVER
        key = self.worths.key(expr, place)
        match key:
            case ("latest", Tally() as tally, ()):
                later = self._part(tally, moment, tally.end)
                return says(Before(key, moment), TRULY) if later is None else none(later)
            case ("earliest", Tally() as tally, ()):
                earlier = self._part(tally, tally.start, moment)
                return says(Before(key, moment), TRULY) if earlier is None else some(earlier)
        return says(Before(key, moment), TRULY)

    def _part(self, tally: Tally, start: Moment, end: Moment) -> Tally | None:
        """Those of its events in a window; None where it cannot be told which ends come first."""
        first, last = self._later(tally.start, start), self._earlier(tally.end, end)
        if first is None or last is None:
            return None
        return self.worths.tally("count", tally.events, (first, last))

    def _later(self, a: Moment, b: Moment) -> Moment | None:
        if self.instants.never_later(a, b):
            return b
        return a if self.instants.never_later(b, a) else None

    def _earlier(self, a: Moment, b: Moment) -> Moment | None:
        if self.instants.never_later(a, b):
            return a
        return b if self.instants.never_later(b, a) else None


def _is_literal(expr: s.Expr) -> bool:
    return isinstance(expr, (s.Number, s.Percent, s.Text, s.Boolean, s.Duration, s.Date, s.DateTime))
