"""Compiles `in at least 3 of last 4 calendar weeks`: evaluates each unit alone and counts the true ones (E8, M5)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import NumberValue
from quanyu.dsl.planning.scope import PlanScope, TimeRange
from quanyu.dsl.planning.values import ValueCompiler

MAX_UNITS = 100  # evaluated one by one


def resolve_units(repeat: s.Recurrence, values: ValueCompiler, scope: PlanScope) -> list[int]:
    """Returns the starts of the units and the end of the last one, and records them as one window."""
    starts = windows.unit_starts(repeat.units, scope.clock)
    values.state.count_nodes(repeat, len(starts))
    values.state.record_window(format_rule(repeat), starts[0], starts[-1])
    return starts


def compile_repeat(
    repeat: s.Recurrence, compile_unit: Callable[[TimeRange], nodes.Cond], values: ValueCompiler, scope: PlanScope
) -> nodes.Cond:
    """Compiles a condition on several units; `compile_unit` gives the condition on one, which is never unknown."""
    if repeat.units.number > MAX_UNITS:
        message = f"at most {MAX_UNITS} units are judged one by one: take larger ones"
        raise RuleError.at(repeat.units.span, "limit", message)
    starts = resolve_units(repeat, values, scope)
    units = tuple(compile_unit(unit) for unit in itertools.pairwise(starts))
    if isinstance(repeat, s.InEach):
        return nodes.AllOf(units)
    return compare_count(repeat, _sum([_one_if(unit) for unit in units]))


def compare_count(repeat: s.Recurrence, count: nodes.Expr) -> nodes.Cond:
    """Compares the number of true units with the number that the rule requires."""
    cmp: nodes.Cmp
    match repeat:
        case s.InEach(units=s.Units(number=number)):
            cmp = "="
        case s.InAtLeast(number=number):
            cmp = ">="
        case s.InAtMost(number=number):
            cmp = "<="
        case s.InExactly(number=number):
            cmp = "="
    return nodes.Compare(cmp, count, nodes.Literal(NumberValue(str(number))))


def _one_if(cond: nodes.Cond) -> nodes.Expr:
    return nodes.Case((nodes.Tier(cond, NumberValue("1")),), NumberValue("0"))


def _sum(terms: Sequence[nodes.Expr]) -> nodes.Expr:
    """Adds terms as a balanced tree, so that the plan is not nested deeply."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return nodes.Arithmetic("+", _sum(terms[:middle]), _sum(terms[middle:]))
