"""Compiles single conditions and values of a rule in their scope within the rule."""

from __future__ import annotations

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.conditions import ConditionCompiler
from quanyu.dsl.planning.scope import PlanScope


class PartCompiler:
    """Compiles parts of a segment over its population, or parts of a condition without a segment over the universe."""

    def __init__(self, segment: s.Segment | None, library: Library, catalog: Catalog, clock: Clock) -> None:
        self._segment, self._library, self._catalog, self._clock = segment, library, catalog, clock

    def compile_root(self, cond: s.Cond) -> nodes.Root:
        """Compiles a condition to a root with its canonical text as name."""
        compiler, scope = self._enter(self._clock)
        return compiler.compile_root(format_rule(cond), cond, scope)

    def compile_relative_root(self, cond: s.Cond) -> tuple[nodes.Root, int | None]:
        """Returns a root whose instants move along with as-of, and the ms for which it stays valid (None: always)."""
        relative = self._clock.relative()
        compiler, scope = self._enter(relative)
        return compiler.compile_root(format_rule(cond), cond, scope), relative.validity.ms

    def compile_population(self) -> nodes.Root:
        """Compiles a root that is true of the population of the rule."""
        return nodes.Root("population", nodes.Constant(True), self._enter(self._clock)[1].among)

    def compile_value(self, expr: s.Expr) -> tuple[nodes.Expr, Type]:
        """Compiles a value and returns it with its type."""
        compiler, scope = self._enter(self._clock)
        return compiler.values.compile(expr, scope), compiler.values.type_of(expr, scope)

    def _enter(self, clock: Clock) -> tuple[ConditionCompiler, PlanScope]:
        # A new compiler for each part: a node that several parts share must not count against the limit each time.
        compiler = ConditionCompiler(self._catalog, self._library, clock)
        top = compiler.values.top
        return compiler, top if self._segment is None else compiler.values.enter_segment(self._segment, top)
