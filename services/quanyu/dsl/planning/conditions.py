"""Compiles bound conditions to nodes of the plan."""

from __future__ import annotations

from decimal import Decimal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import versions_of
from quanyu.dsl.calendar import windows
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.model.types import nfkc
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.comparisons import ComparisonCompiler
from quanyu.dsl.planning.event_conditions import EventConditionCompiler
from quanyu.dsl.planning.literals import decimal_text
from quanyu.dsl.planning.memberships import compile_membership
from quanyu.dsl.planning.scope import PlanScope
from quanyu.dsl.planning.values import ValueCompiler


class ConditionCompiler:
    """Compiles the conditions of one rule; `values` holds the windows and the size of all of them."""

    def __init__(self, catalog: Catalog, library: Library, clock: Clock) -> None:
        self._catalog, self._library = catalog, library
        self.values = ValueCompiler(catalog, library, clock, self.compile)
        self._comparisons = ComparisonCompiler(self.values)
        self._events = EventConditionCompiler(self.values)

    def compile_root(self, name: str, cond: s.Cond, scope: PlanScope) -> nodes.Root:
        """Compiles a condition over the scope's population."""
        compiled = self.compile(cond, scope)
        has_clauses = isinstance(cond, (s.AllOf, s.AnyOf))
        return nodes.Root(name, compiled if has_clauses else as_one_clause(compiled), scope.among)

    def versions_of(self, rule_nodes: list[s.Node]) -> list[str]:
        """Returns the rules and scores that nodes use, as `name@version`."""
        return list(versions_of(rule_nodes, self._catalog, self._library))

    def compile(self, node: s.Cond, scope: PlanScope) -> nodes.Cond:
        """Compiles a condition."""
        self.values.state.count_nodes(node)
        denied = s.strip_not(node)
        if denied is not None:
            return nodes.Not(self.compile(denied, scope))
        match node:
            case s.AllOf(operands=parts):
                return nodes.AllOf(tuple([self.compile(part, scope) for part in parts]))
            case s.AnyOf(operands=parts):
                return nodes.AnyOf(tuple([self.compile(part, scope) for part in parts]))
            case s.Not(operand=inner):
                return nodes.Not(self.compile(inner, scope))
            case s.IncludingUnknown(operand=inner):
                return nodes.OrUnknown(self.compile(inner, scope))
            case s.Compare():
                return self._comparisons.compile_compare(node, scope)
            case s.Between():
                return self._comparisons.compile_between(node, scope)
            case s.BetweenAgo(expr=expr, low=s.Duration() as low, high=s.Duration() as high):
                instants = windows.between_ago(low, high, scope.clock)
                return self._comparisons.compile_range(node, expr, instants, scope)
            case s.InWindow(expr=expr, window=window):
                return self._comparisons.compile_in_time(node, expr, window, scope)
            case s.Anniversary(path=path, window=window):
                return self._comparisons.compile_anniversary(path, window, scope)
            case s.Did(pattern=pattern):
                return self._events.compile(pattern, scope)
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                return compile_membership(node, self.values, scope)
            case s.InTop() | s.InBottom():
                return self._compile_rank(node, scope)
            case s.Sample(percent=percent, seed=seed):
                text = seed.value if seed else scope.names.rule
                assert text is not None  # checked when names are bound (S2)
                return nodes.Sample(text, str(_share_of_hashes(percent.fraction)))
        return self._compile_test(node, scope)

    def _compile_test(self, node: s.Cond, scope: PlanScope) -> nodes.Cond:
        """Compiles a test of one value."""
        compile_value = self.values.compile
        match node:
            case s.InList(expr=expr, items=items):
                return nodes.IsIn(compile_value(expr, scope), self._compile_items(items, scope))
            case s.HasAny(expr=expr, items=items):
                return self._compile_has("any", expr, items, scope)
            case s.HasAll(expr=expr, items=items):
                return self._compile_has("all", expr, items, scope)
            case s.HasNone(expr=expr, items=items):
                return self._compile_has("none", expr, items, scope)
            case s.Matches(expr=expr, value=s.Text(value=pattern)):
                return nodes.TextTest("matches", compile_value(expr, scope), pattern)
            case s.Contains(expr=expr, value=s.Text(value=text)):
                return nodes.TextTest("contains", compile_value(expr, scope), nfkc(text))
            case s.StartsWith(expr=expr, value=s.Text(value=text)):
                return nodes.TextTest("starts_with", compile_value(expr, scope), nfkc(text))
            case s.EndsWith(expr=expr, value=s.Text(value=text)):
                return nodes.TextTest("ends_with", compile_value(expr, scope), nfkc(text))
            case s.IsKnown(expr=expr):
                return nodes.IsKnown(compile_value(expr, scope))
            case s.IsUnknown(expr=expr):
                return nodes.IsUnknown(compile_value(expr, scope))
            case s.Near(path=path, distance=distance, center=center):
                point = compile_value(center, scope)
                return nodes.Near(compile_value(path, scope), point, float(distance.metres))
        raise TypeError(f"{type(node).__name__} is not a condition")

    def _compile_items(self, items: tuple[s.Expr, ...], scope: PlanScope) -> tuple[nodes.Expr, ...]:
        return tuple(self.values.compile(item, scope) for item in items)

    def _compile_has(
        self, mode: nodes.HasMode, expr: s.Expr, items: tuple[s.Expr, ...], scope: PlanScope
    ) -> nodes.Cond:
        compiled = self._compile_items(items, scope)
        return nodes.Has(mode, self.values.compile(expr, scope), compiled)

    def _compile_rank(self, node: s.InTop | s.InBottom, scope: PlanScope) -> nodes.Cond:
        size = node.size
        return nodes.Rank(
            self.values.compile(node.expr, scope),
            "top" if isinstance(node, s.InTop) else "bottom",
            decimal_text(size.fraction) if isinstance(size, s.Percent) else None,
            None if isinstance(size, s.Percent) else int(size.value),
            self.values.compile_population(node.among, scope),
        )


def as_one_clause(cond: nodes.Cond) -> nodes.Cond:
    """Wraps a conjunction or disjunction: the engine counts each part of a root's `all` or `any` as a clause."""
    return nodes.AllOf((cond,)) if isinstance(cond, nodes.AllOf | nodes.AnyOf) else cond


def _share_of_hashes(share: Decimal) -> int:
    """Returns the bound of whole hashes: `hash < p · 2^64` is `hash < ceil(p · 2^64)`, exactly (S1)."""
    numerator, denominator = share.as_integer_ratio()
    return -(-numerator * 2**64 // denominator)
