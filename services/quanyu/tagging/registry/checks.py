"""Checks that a draft can be evaluated before it is published or proposed."""

from __future__ import annotations

from quanyu.dsl import BoundRules
from quanyu.engine import Index
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.patterns import check_patterns
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input


def check_countable(drafted: EvaluationContext, index: Index, bound: BoundRules) -> None:
    """Raises InvalidInput if a segment or tag of the draft cannot be evaluated: a published version never changes.

    `drafted`: a context in which `bound` is published.
    """
    with rule_errors_as_invalid_input():
        check_patterns(bound, index)
    drafted.count(index, drafted.compile_segments_and_tags(bound))
