"""Explains a draft in words, with the windows and versions that it compiles to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quanyu.dsl import CompiledRule, Language, check_and_bind, compile_condition, explain
from quanyu.dsl.syntax import IsKnown, Metric
from quanyu.tagging.evaluation.context import EvaluationContext


@dataclass(frozen=True, slots=True)
class Explanation:
    """A sentence for each clause, the rules and scores that the text uses (`name@version`), and the compiled rules."""

    sentences: list[str]
    versions: tuple[str, ...]
    compiled: list[CompiledRule]


def explain_and_compile(evaluation: EvaluationContext, text: str, language: Language) -> Explanation:
    """Explains and compiles a draft. Raises RuleError if the text is wrong."""
    bound = check_and_bind(text, evaluation.catalog, evaluation.library)
    drafted = replace(evaluation, library=evaluation.library.publish(bound))
    names = (drafted.library, drafted.catalog, drafted.clock)
    sentences = explain(bound, *names, language)
    values = [IsKnown(rule.expr) for rule in bound.statements if isinstance(rule, Metric)]
    conditions = values if bound.condition is None else [bound.condition]
    compiled = [*(compile_condition(cond, *names) for cond in conditions), *drafted.compile_segments_and_tags(bound)]
    return Explanation(sentences, bound.versions, compiled)
