"""Encodes tests of values: comparisons, lists, sets, texts and points in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving.formulas import (
    FALSE,
    TRUE,
    Formula,
    Truth,
    atom,
    conjunction,
    disjunction,
    negation,
)
from quanyu.dsl.linting.proving.timeline import (
    Ago,
    Fixed,
    Instant,
    Timeline,
)
from quanyu.dsl.linting.proving.value_encoder import (
    Site,
    ValueEncoder,
    no_events,
    some_events,
)
from quanyu.dsl.linting.proving.value_sets import IS_TRUE, DiscreteSet, IntervalSet
from quanyu.dsl.linting.proving.variables import (
    Before,
    BooleanVariable,
    Sign,
    Tally,
    TextTest,
)
from quanyu.dsl.model.types import Type, common_order, nfkc

_FLIPPED: dict[str, s.ComparisonOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_SIGNS = {
    "<": DiscreteSet.of("<"),
    "<=": DiscreteSet.of("<", "="),
    ">": DiscreteSet.of(">"),
    ">=": DiscreteSet.of(">", "="),
    "=": DiscreteSet.of("="),
    "!=": DiscreteSet.of("<", ">"),
}
_TEXT_TESTS: dict[type[s.Node], Any] = {
    s.Contains: "contains",
    s.StartsWith: "starts with",
    s.EndsWith: "ends with",
    s.Matches: "matches",
}
_TIMES = ("instant", "date", "recency", "duration")


@dataclass(frozen=True)
class ComparisonEncoder:
    """`instants` and `days` are the timelines of instants and of dates."""

    values: ValueEncoder
    instants: Timeline
    days: Timeline

    def encode(self, node: s.Cond, site: Site) -> Truth | None:
        """Returns None if the condition is not a test of values."""
        match node:
            case s.Compare(left=left, op=cmp, right=right):
                return self.compare(left, cmp, right, site)
            case s.Between():
                return self._between(node, site)
            case s.BetweenAgo(expr=expr, low=s.Duration() as low, high=s.Duration() as high):
                return self._in_time(expr, s.BetweenDurations(low, high, span=node.span), site)
            case s.InWindow(expr=expr, window=window):
                return self._in_time(expr, window, site)
            case s.InList(expr=expr, items=items):
                return self._in_list(expr, items, site)
            case s.HasAny(expr=expr, items=items):
                return self._members(expr, items, site, disjunction)
            case s.HasAll(expr=expr, items=items):
                return self._members(expr, items, site, conjunction)
            case s.HasNone(expr=expr, items=items):
                return ~self._members(expr, items, site, disjunction)
            case s.IsKnown(expr=expr):
                return Truth.from_formula(self.values.known(expr, site))
            case s.IsUnknown(expr=expr):
                return ~Truth.from_formula(self.values.known(expr, site))
            case s.Contains() | s.StartsWith() | s.EndsWith() | s.Matches():
                return self._text(node, site)
        return None

    # comparisons

    def compare(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, site: Site) -> Truth:
        """Encodes a comparison. A side with a default is split into the cases known and unknown (G3)."""
        cases = [
            (conjunction(one, other), self._compare(a, cmp, b, site))
            for one, a in self._cases(left, self.values.type_of(right, site), site)
            for other, b in self._cases(right, self.values.type_of(left, site), site)
        ]
        true = disjunction(*(conjunction(case, truth.true) for case, truth in cases))
        return Truth(true, disjunction(*(conjunction(case, truth.false) for case, truth in cases)))

    def _cases(self, expr: s.Expr, beside: Type, site: Site) -> list[tuple[Formula, s.Expr]]:
        if not isinstance(expr, s.Default):
            return [(TRUE, expr)]
        beside = beside if beside.kind != "any" else self.values.type_of(expr, site)
        known = self.values.known(expr.expr, site, beside)
        first = [(conjunction(known, case), value) for case, value in self._cases(expr.expr, beside, site)]
        return first + [
            (conjunction(negation(known), case), value) for case, value in self._cases(expr.otherwise, beside, site)
        ]

    def _compare(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, site: Site) -> Truth:
        if _is_literal(left) and not _is_literal(right):
            return self._compare(right, _FLIPPED[cmp], left, site)
        a, b = self.values.type_of(left, site), self.values.type_of(right, site)
        known = conjunction(self.values.known(left, site, b), self.values.known(right, site, a))
        return Truth.from_formula(self._holds(left, cmp, right, a, b, site), known)

    def _holds(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, a: Type, b: Type, site: Site) -> Formula:
        """Returns the formula for a comparison of two known sides."""
        if a.kind in _TIMES and _is_literal(right):
            return self._order_formula(left, cmp, right, a, site)
        if a.numeric and b.numeric:
            return self._number_formula(left, cmp, right, site)
        if isinstance(right, (s.Text, s.Boolean)):
            return self._discrete_formula(left, cmp, right, a, b, site)
        return self._sign_formula(self.values.key(left, site), cmp, self.values.key(right, site))

    def _number_formula(self, left: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, site: Site) -> Formula:
        one, other = self.values.linear_form(left, site), self.values.linear_form(right, site)
        difference = one + other.times(Fraction(-1))
        if difference is None:
            return self._sign_formula(one, cmp, other)
        return self.values.linear_atom(difference, IntervalSet.comparing(cmp, 0))

    @staticmethod
    def _sign_formula(one: Any, cmp: s.ComparisonOperator, other: Any) -> Formula:
        """Compares two values of the person by the sign of their difference."""
        if one == other:
            return TRUE if cmp in ("=", "<=", ">=") else FALSE
        if repr(one) > repr(other):
            one, cmp, other = other, _FLIPPED[cmp], one
        return atom(Sign(one, other), _SIGNS[cmp])

    def _discrete_formula(
        self, expr: s.Expr, cmp: s.ComparisonOperator, right: s.Text | s.Boolean, a: Type, b: Type, site: Site
    ) -> Formula:
        variable = self.values.discrete_value(expr, a, site)
        value = nfkc(right.value) if isinstance(right, s.Text) else right.value
        if cmp in ("=", "!="):
            return atom(variable, DiscreteSet.of(value) if cmp == "=" else ~DiscreteSet.of(value))
        order = common_order(a, b)
        if order is None or value not in order:
            return atom(BooleanVariable((variable.key, cmp, value)), IS_TRUE)
        at = order.index(str(value))
        fits = {"<": order[:at], "<=": order[: at + 1], ">": order[at + 1 :], ">=": order[at:]}[cmp]
        return atom(variable, DiscreteSet.of(*fits))

    def _in_list(self, expr: s.Expr, items: Sequence[s.Expr], site: Site) -> Truth:
        kind = self.values.type_of(expr, site)
        if kind.kind == "set":
            return self._members(expr, items, site, disjunction)
        if all(map(_is_literal, items)) and not isinstance(expr, s.Default):
            return self._literal_list(expr, items, kind, site)
        truths = [self.compare(expr, "=", item, site) for item in items]
        return Truth(disjunction(*(t.true for t in truths)), conjunction(*(t.false for t in truths)))

    def _literal_list(self, expr: s.Expr, items: Sequence[s.Expr], kind: Type, site: Site) -> Truth:
        known = self.values.known(expr, site, self.values.type_of(items[0], site))
        if isinstance(items[0], (s.Number, s.Percent)):
            numbers = IntervalSet.of(self.values.linear_form(item, site).offset for item in items)
            return Truth.from_formula(self.values.number_atom(expr, numbers, site), known)
        values = [
            nfkc(item.value) if isinstance(item, s.Text) else item.value
            for item in items
            if isinstance(item, s.Text | s.Boolean)
        ]
        return Truth.from_formula(atom(self.values.discrete_value(expr, kind, site), DiscreteSet.of(*values)), known)

    def _members(self, expr: s.Expr, items: Sequence[s.Expr], site: Site, joined: Callable[..., Formula]) -> Truth:
        """Encodes a test of set members. With an unknown item it is true if another item decides it (U3)."""
        key, known = self.values.key(expr, site), self.values.known(expr, site)
        truths = []
        for item in items:
            name = nfkc(item.value) if isinstance(item, s.Text) else self.values.key(item, site)
            holds = atom(BooleanVariable((key, "has", name)), IS_TRUE)
            truths.append(Truth.from_formula(holds, conjunction(known, self.values.known(item, site))))
        other = conjunction if joined is disjunction else disjunction
        return Truth(joined(*(t.true for t in truths)), other(*(t.false for t in truths)))

    def _text(self, node: s.Contains | s.StartsWith | s.EndsWith | s.Matches, site: Site) -> Truth:
        assert isinstance(node.value, s.Text)
        test, text = _TEXT_TESTS[type(node)], node.value.value
        kind = self.values.type_of(node.expr, site)
        known = self.values.known(node.expr, site, Type("text"))
        if test != "matches" and not text:
            return Truth.from_formula(TRUE, known)
        key = self.values.discrete_value(node.expr, kind, site).key
        variable = TextTest(key, test, text if test == "matches" else nfkc(text))
        return Truth.from_formula(atom(variable, IS_TRUE), known)

    # time

    def _between(self, node: s.Between, site: Site) -> Truth:
        in_time = self.values.type_of(node.expr, site).kind in ("instant", "date", "recency")
        if in_time and isinstance(node.low, (s.Date, s.DateTime)) and isinstance(node.high, (s.Date, s.DateTime)):
            return self._in_time(node.expr, s.BetweenDays(node.low, node.high, span=node.span), site)
        until: s.ComparisonOperator = "<" if isinstance(node.high, s.DateTime) else "<="  # T9
        low, high = self.compare(node.expr, ">=", node.low, site), self.compare(node.expr, until, node.high, site)
        return Truth(conjunction(low.true, high.true), disjunction(low.false, high.false))

    def _in_time(self, expr: s.Expr, window: s.Window, site: Site) -> Truth:
        start, end = self._timeline_of(self.values.type_of(expr, site)).span_of(window)
        inside = conjunction(negation(self.before(expr, start, site)), self.before(expr, end, site))
        return Truth.from_formula(inside, self.values.known(expr, site))

    def _timeline_of(self, kind: Type) -> Timeline:
        return self.days if kind.kind == "date" else self.instants

    def _order_formula(self, expr: s.Expr, cmp: s.ComparisonOperator, right: s.Expr, kind: Type, site: Site) -> Formula:
        """Compares an instant, a date or a recency with a literal."""
        if isinstance(right, s.Duration):
            if isinstance(expr, s.Duration):
                return TRUE if IntervalSet.comparing(cmp, right.ms) & IntervalSet.comparing("=", expr.ms) else FALSE
            longer = cmp in (">", ">=")  # to the millisecond (C1)
            before = self.before(expr, Ago(right.ms - (cmp in (">=", "<"))), site)
            return before if longer else negation(before)
        timeline = self._timeline_of(kind)
        if isinstance(right, s.Date):
            start, end = timeline.instant_of(right), timeline.day_after(right)
        else:
            assert isinstance(right, s.DateTime)
            start = timeline.instant_of(right)
            end = Fixed(start.at + 1)
        if isinstance(expr, (s.Date, s.DateTime)):  # two literals
            return atom(BooleanVariable((expr, cmp, right)), IS_TRUE)
        before, beyond = self.before(expr, start, site), negation(self.before(expr, end, site))
        return {
            "<": before,
            "<=": negation(beyond),
            ">": beyond,
            ">=": negation(before),
            "=": conjunction(negation(before), negation(beyond)),
            "!=": disjunction(before, beyond),
        }[cmp]

    def before(self, expr: s.Expr, instant: Instant, site: Site) -> Formula:
        """Returns the formula for a known value before the instant. First and last events become counts of events."""
        if isinstance(instant, Fixed) and abs(instant.at) == float("inf"):
            return TRUE if instant.at > 0 else FALSE
        key = self.values.key(expr, site)
        match key:
            case ("latest", Tally() as tally, ()):
                later = self._tally_part(tally, instant, tally.end)
                return atom(Before(key, instant), IS_TRUE) if later is None else no_events(later)
            case ("earliest", Tally() as tally, ()):
                earlier = self._tally_part(tally, tally.start, instant)
                return atom(Before(key, instant), IS_TRUE) if earlier is None else some_events(earlier)
        return atom(Before(key, instant), IS_TRUE)

    def _tally_part(self, tally: Tally, start: Instant, end: Instant) -> Tally | None:
        """Returns the tally within a window, or None if the order of the ends is uncertain."""
        first, last = self._later(tally.start, start), self._earlier(tally.end, end)
        if first is None or last is None:
            return None
        return self.values.make_tally("count", tally.events, (first, last))

    def _later(self, a: Instant, b: Instant) -> Instant | None:
        if self.instants.is_never_later(a, b):
            return b
        return a if self.instants.is_never_later(b, a) else None

    def _earlier(self, a: Instant, b: Instant) -> Instant | None:
        if self.instants.is_never_later(a, b):
            return a
        return b if self.instants.is_never_later(b, a) else None


def _is_literal(expr: s.Expr) -> bool:
    return isinstance(expr, (s.Number, s.Percent, s.Text, s.Boolean, s.Duration, s.Date, s.DateTime))
