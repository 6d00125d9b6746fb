"""Compiles comparisons, ranges and windows over values (C, T)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.conditions import order_error
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.windows import Instants
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.types import common_order, nfkc
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import DurationValue, NumberValue, TextValue
from quanyu.dsl.planning.scope import PlanScope
from quanyu.dsl.planning.values import ValueCompiler

_FLIPPED: dict[str, s.ComparisonOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class ComparisonCompiler:
    """Compiles comparisons of values with values, dates and windows."""

    values: ValueCompiler

    def compile_compare(self, node: s.Compare, scope: PlanScope) -> nodes.Cond:
        """Compiles `a < b`. Raises RuleError if a type has lost its order since the rule was published."""
        a, b = self.values.type_of(node.left, scope), self.values.type_of(node.right, scope)
        if isinstance(node.left, (s.Date, s.Text, s.Duration)) and node.op in _FLIPPED:
            flipped = replace(node, left=node.right, op=_FLIPPED[node.op], right=node.left)
            if type(node.right) is not type(node.left):
                return self.compile_compare(flipped, scope)
        if a.kind == "instant" and isinstance(node.right, s.Date):
            return self._compare_day(node.left, node.op, node.right, scope)
        if b.kind == "instant" and isinstance(node.left, s.Date):
            return self._compare_day(node.right, node.op, node.left, scope)
        if node.op in _FLIPPED and (a.ordered or b.ordered):
            order = common_order(a, b)
            if order is None:  # the declared type has changed since the rule was published
                raise order_error(node, a, b)
            return self._compare_by_order(node, order, scope)
        if a.kind == "recency" and isinstance(node.right, s.Duration):
            self._record_recency(node, node.right, scope)
        left, right = self.values.compile(node.left, scope), self.values.compile(node.right, scope)
        return nodes.Compare(node.op, left, right)

    def _record_recency(self, node: s.Compare, duration: s.Duration, scope: PlanScope) -> None:
        border = windows.ago_ms(duration, scope.clock)
        is_longer_ago = node.op in (">", ">=")
        start, end = (None, border) if is_longer_ago else (border, scope.clock.as_of_ms)
        self.values.state.record_window(format_rule(node), start, end)

    def _compare_day(self, expr: s.Expr, cmp: s.ComparisonOperator, date: s.Date, scope: PlanScope) -> nodes.Cond:
        """Compares an instant with a date by its local day (C4)."""
        start, end = windows.between(date, date, scope.clock)
        ranges: dict[s.ComparisonOperator, Instants] = {
            "<": (None, start),
            "<=": (None, end),
            ">": (end, None),
            ">=": (start, None),
            "=": (start, end),
            "!=": (start, end),
        }
        positive = s.Compare(expr, "=" if cmp == "!=" else cmp, date)
        found = self.compile_range(positive, expr, ranges[cmp], scope)
        return nodes.Not(found) if cmp == "!=" else found

    def _compare_by_order(self, node: s.Compare, order: tuple[str, ...], scope: PlanScope) -> nodes.Cond:
        """Compiles `level >= silver` as membership in the values from `silver` on, in the declared order (C2)."""
        if not isinstance(node.right, s.Text):
            left, right = (self._compile_position(order, side, scope) for side in (node.left, node.right))
            return nodes.Compare(node.op, left, right)
        at = order.index(nfkc(node.right.value))
        fits = {"<": order[:at], "<=": order[: at + 1], ">": order[at + 1 :], ">=": order[at:]}[node.op]
        expr = self.values.compile(node.left, scope)
        if not fits:  # below the lowest value: false where the value is known, else unknown
            return nodes.AllOf((_is_in(expr, order), nodes.Not(_is_in(expr, order))))
        return _is_in(expr, fits)

    def _compile_position(self, order: Sequence[str], expr: s.Expr, scope: PlanScope) -> nodes.Expr:
        """Compiles the position of a value in the order, from 0. It is unknown where the value is unknown."""
        value = self.values.compile(expr, scope)
        self.values.state.count_nodes(expr, len(order))
        tiers = [nodes.Tier(_is_in(value, [held]), NumberValue(str(at))) for at, held in enumerate(order)]
        return nodes.Case(tuple(tiers), None)

    def compile_between(self, node: s.Between, scope: PlanScope) -> nodes.Cond:
        """Compiles `a between b and c`."""
        kind = self.values.type_of(node.expr, scope).kind
        if isinstance(node.low, (s.Date, s.DateTime)) and isinstance(node.high, (s.Date, s.DateTime)):
            written = s.BetweenDays(node.low, node.high, span=node.span)
            if kind in ("instant", "date", "recency"):
                return self.compile_in_time(node, node.expr, written, scope)
        until: s.ComparisonOperator = "<" if isinstance(node.high, s.DateTime) else "<="  # T9
        ends = (s.Compare(node.expr, ">=", node.low), s.Compare(node.expr, until, node.high))
        return nodes.AllOf(tuple(self.compile_compare(end, scope) for end in ends))

    # time

    def compile_in_time(self, node: s.Cond, expr: s.Expr, window: s.Window, scope: PlanScope) -> nodes.Cond:
        """Compiles the condition that a date or an instant is in a window."""
        if self.values.type_of(expr, scope).kind != "date":
            return self.compile_range(node, expr, windows.resolve_instants(window, scope.clock), scope)
        first, end = windows.resolve_days(window, scope.clock)
        ends = (None if day is None else scope.clock.day_start_ms(day) for day in (first, end))
        self.values.state.record_window(format_rule(node), *ends)
        days = (None if day is None else windows.epoch_days(day) for day in (first, end))
        return nodes.Within(self.values.compile(expr, scope), *days)

    def compile_range(self, node: s.Cond, expr: s.Expr, instants: Instants, scope: PlanScope) -> nodes.Cond:
        """Compiles the condition that an instant, or the instant of a recency (C3), is in `start <= t < end`."""
        self.values.state.record_window(format_rule(node), *instants)
        if self.values.type_of(expr, scope).kind == "recency":
            return self._compile_elapsed_range(expr, instants, scope)
        start, end = map(self.values.instant_or_none, instants)
        return nodes.Within(self.values.compile(expr, scope), start, end)

    def _compile_elapsed_range(self, expr: s.Expr, instants: Instants, scope: PlanScope) -> nodes.Cond:
        """Compiles `start <= t < end` as bounds of the elapsed time: as-of - end < elapsed <= as-of - start."""
        elapsed, now = self.values.compile(expr, scope), scope.clock.as_of_ms
        start, end = instants
        bounds: tuple[tuple[nodes.Cmp, int | None], ...] = ((">", end), ("<=", start))
        parts = [
            nodes.Compare(cmp, elapsed, nodes.Literal(DurationValue(self.values.instant_of(now - at))))
            for cmp, at in bounds
            if at is not None
        ]
        return nodes.AllOf(tuple(parts))

    def compile_anniversary(self, path: s.Path, window: s.Window, scope: PlanScope) -> nodes.Cond:
        """Compiles the condition that an anniversary is in a window.

        Raises RuleError (reason "limit") if the window is longer than a hundred years.
        """
        first, end = windows.resolve_days(window, scope.clock)
        if first is None or end is None or (end - first).days > 40_000:
            raise RuleError.at(
                window.span, "limit", "an anniversary window has at most a hundred years: take a shorter one"
            )
        text = f"anniversary of {format_rule(path)} {format_rule(window)}"
        self.values.state.record_window(text, scope.clock.day_start_ms(first), scope.clock.day_start_ms(end))
        years = windows.month_days(first, end, scope.clock)
        return nodes.Anniversary(
            self.values.compile(path, scope), tuple(nodes.YearDays(year, tuple(days)) for year, days in years)
        )


def _is_in(expr: nodes.Expr, texts: Sequence[str]) -> nodes.Cond:
    return nodes.IsIn(expr, tuple(nodes.Literal(TextValue(text)) for text in texts))
