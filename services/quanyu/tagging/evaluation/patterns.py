"""Checks the patterns of a rule with the engine that matches them."""

from __future__ import annotations

from quanyu.dsl import BoundRules, RuleError, serialize_plan
from quanyu.dsl import syntax as s
from quanyu.dsl.errors import attach_text
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import TextValue
from quanyu.engine import Index, InvalidPatternError


def check_patterns(bound: BoundRules, index: Index) -> None:
    """Raises RuleError at the first pattern that is not valid RE2 (C7)."""
    with attach_text(bound.text):
        for node in (bound.condition, *bound.statements):
            for part in s.walk(node) if node is not None else ():
                if isinstance(part, (s.Matches, s.NotMatches)) and isinstance(part.value, s.Text):
                    _check_pattern(part.value, index)


def _check_pattern(pattern: s.Text, index: Index) -> None:
    """Compiles the pattern in the engine; RuleError at its place in the rule if it is not valid RE2."""
    cond = nodes.TextTest("matches", nodes.Literal(TextValue("")), pattern.value)
    try:
        # Without persons, the engine only reads the plan.
        index.verdicts(serialize_plan(0, [nodes.Root("pattern", cond, None)]), [])
    except InvalidPatternError as error:
        message = f"{pattern.value!r} is not a valid RE2 pattern: {error.reason}"
        raise RuleError.at(pattern.span, "value", message) from None
