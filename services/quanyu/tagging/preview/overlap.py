"""How a few sets of people overlap: every combination of them, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.dsl import CompiledRule, compile_condition
from quanyu.dsl.planning.sets import pattern
from quanyu.dsl.planning.values import Json
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input

MIN_SETS, MAX_SETS = 2, 6


@dataclass(frozen=True, slots=True)
class Overlap:
    """`sets`: condition, true, unknown. `patterns`: places of sets, and how many are in these only, most first."""

    sets: list[tuple[str, int, int]]
    patterns: list[tuple[tuple[int, ...], int]]
    outside: int
    compiled: list[CompiledRule]
    answer: Answer


def count_overlap(evaluation: EvaluationContext, index: Index, conditions: Sequence[str]) -> Overlap:
    """Of lone conditions. InvalidInput where they are fewer than 2, more than 6, or one of them is wrong."""
    if not MIN_SETS <= len(conditions) <= MAX_SETS:
        message = f"conditions: give {MIN_SETS} to {MAX_SETS} sets, such as `in segment vip`, not {len(conditions)}"
        raise InvalidInput(message, reason="OVERLAP_SETS", field="conditions")
    compiled = [_compiled(evaluation, n, text) for n, text in enumerate(conditions)]
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


def _in_exactly(roots: Sequence[Json], inside: Sequence[int]) -> Json:
    """Those who are in these sets and in no others."""
    chosen = set(inside)
    return pattern([roots[n] for n in inside], [root for n, root in enumerate(roots) if n not in chosen])


def _compiled(evaluation: EvaluationContext, number: int, text: str) -> CompiledRule:
    bound = evaluation.bind(text)
    if bound.condition is None:
        message = f"conditions[{number}]: a lone condition stands here, such as `in segment vip`"
        raise InvalidInput(message, reason="RULE_NOT_A_SET", field=f"conditions[{number}]")
    with rule_errors_as_invalid_input():
        return compile_condition(bound, evaluation.library, evaluation.catalog, evaluation.clock)
