"""Finds the sums of a rule whose events may have an unknown amount; such an event adds nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from quanyu.dsl import BoundRules, compile_condition, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.planning.nodes import Root
from quanyu.tagging.evaluation.context import EvaluationContext


@dataclass(frozen=True, slots=True)
class UnknownAmounts:
    """A sum, and the root that finds the people with an unknown amount in one of its events."""

    sum: s.Aggregate
    root: Root

    def note(self, people: int) -> str:
        who = "1 person has" if people == 1 else f"{people:,} people have"
        return f"{who} events without a known amount, which add nothing to {format_rule(self.sum)} (A1, A3)"


def unknown_amounts(drafted: EvaluationContext, bound: BoundRules) -> list[UnknownAmounts]:
    """Returns every sum of the text and of the metrics that it uses; the library of `drafted` contains the text."""
    found: dict[s.Aggregate, Root] = {}
    for node in _used_rules(drafted, bound):
        for part in s.walk(node):
            if isinstance(part, s.Aggregate) and part.fn == "sum" and part not in found:
                found[part] = _root(drafted, part)
    return [UnknownAmounts(part, root) for part, root in found.items()]


def _used_rules(drafted: EvaluationContext, bound: BoundRules) -> list[s.Node]:
    named = (label.rpartition("@") for label in bound.versions)
    rules = [drafted.library.get(name, int(version)) for name, _, version in named]
    return [*([bound.condition] if bound.condition else []), *(rule for rule in rules if rule is not None)]


def _root(drafted: EvaluationContext, total: s.Aggregate) -> Root:
    all_events = replace(total, fn="count", path=replace(total.path, keys=()))
    unknown = s.Arithmetic("-", all_events, replace(total, fn="count"))
    cond = s.Compare(unknown, ">", s.Number(Decimal(0)))
    return compile_condition(cond, drafted.library, drafted.catalog, drafted.clock).roots[0]
