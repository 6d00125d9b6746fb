"""Counts how a few sets of people overlap, for every combination of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.dsl import CompiledRule, compile_condition
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.planning.sets import exclusive_root
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input

MIN_SETS, MAX_SETS = 2, 6


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlap of several sets.

    `sets`: the text of each, how many match it and for how many it is unknown. `patterns`: places of sets, and how many
    people are in exactly these, the largest first. `outside`: how many people are in none.
    """

    sets: list[tuple[str, int, int]]
    patterns: list[tuple[tuple[int, ...], int]]
    outside: int
    compiled: list[CompiledRule]
    answer: Answer


def count_overlap(evaluation: EvaluationContext, index: Index, conditions: Sequence[str]) -> Overlap:
    """Counts the overlap of 2 to 6 conditions. Raises InvalidInput for another number or a wrong condition."""
    if not MIN_SETS <= len(conditions) <= MAX_SETS:
        message = (
            f"conditions: give {MIN_SETS} to {MAX_SETS} conditions, such as `in segment vip`, not {len(conditions)}"
        )
        raise InvalidInput(message, reason="OVERLAP_SETS", field="conditions")
    compiled = [_compile_condition(evaluation, n, text) for n, text in enumerate(conditions)]
    roots = [rule.roots[0] for rule in compiled]
    combinations = [
        inside for size in range(1, len(roots) + 1) for inside in itertools.combinations(range(len(roots)), size)
    ]
    answer = evaluation.count_roots(index, [*roots, *(_in_exactly(roots, inside) for inside in combinations)])
    people = [answer.matched(len(roots) + n) for n in range(len(combinations))]
    patterns = [(inside, count) for inside, count in zip(combinations, people, strict=True) if count]
    return Overlap(
        [(text, *answer.counts(n)) for n, text in enumerate(conditions)],
        sorted(patterns, key=lambda found: -found[1]),
        answer.universe - sum(people),
        compiled,
        answer,
    )


def _in_exactly(roots: Sequence[Root], inside: Sequence[int]) -> Root:
    """Returns a root for the people in these sets and in no others."""
    chosen = set(inside)
    return exclusive_root([roots[n] for n in inside], [root for n, root in enumerate(roots) if n not in chosen])


def _compile_condition(evaluation: EvaluationContext, number: int, text: str) -> CompiledRule:
    bound = evaluation.bind(text)
    if bound.condition is None:
        message = f"conditions[{number}]: write a condition without a name, such as `in segment vip`"
        raise InvalidInput(message, reason="RULE_NOT_A_SET", field=f"conditions[{number}]")
    with rule_errors_as_invalid_input():
        return compile_condition(bound, evaluation.library, evaluation.catalog, evaluation.clock)
