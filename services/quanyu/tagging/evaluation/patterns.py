"""Patterns of a rule, tried by the engine that will match them."""

from __future__ import annotations

from quanyu.dsl import BoundRules, RuleError, plan_of_roots
from quanyu.dsl import syntax as s
from quanyu.dsl.errors import attach_text
from quanyu.engine import Index, InvalidError


def check_patterns(bound: BoundRules, index: Index) -> None:
    """RuleError at the first pattern that is none (RE2 syntax, C7)."""
    with attach_text(bound.text):
        for node in (bound.condition, *bound.statements):
            for part in s.walk(node) if node is not None else ():
                if isinstance(part, (s.Matches, s.NotMatches)) and isinstance(part.value, s.Text):
                    _refuse(part.value, index)


def _refuse(pattern: s.Text, index: Index) -> None:
    empty = {"op": "literal", "value": {"text": ""}}
    cond = {"op": "text", "test": "matches", "expr": empty, "value": pattern.value}
    try:
        # Asked of nobody, a plan is only read.
        index.verdicts(plan_of_roots(0, [{"name": "pattern", "cond": cond, "among": None}]), [])
    except InvalidError as error:
        # Without the place in the plan, and the pattern again.
        why = str(error).rpartition("too large: ")[2].rpartition("error: ")[2]
        raise RuleError.at(pattern.span, "value", f"{pattern.value!r} is no pattern (RE2): {why}") from None
