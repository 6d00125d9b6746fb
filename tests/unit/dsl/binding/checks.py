"""Checks that a rule binds to a canonical text, or is rejected with a position and suggestions."""

import pytest

from quanyu.dsl import Library, RuleError, format_rule
from tests.unit.dsl.world import LIBRARY, bind

MIXED = Library(LIBRARY.rules).publish(bind("define mixed = order or sale_us"))


def check_rejection(rule: str, column: int, reason: str, suggestions: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        bind(rule, MIXED)
    error = caught.value
    found = (error.line, error.column, error.reason, list(error.suggestions))
    assert found == (1, column, reason, suggestions), str(error)
    assert rule in str(error)


def check_binding(rule: str, bound: str | None) -> None:
    """Checks that the rule binds to the canonical text `bound`, which binds to itself; None if it is rejected."""
    if bound is None:
        with pytest.raises(RuleError):
            bind(rule)
        return
    for text in (rule, bound):
        condition = bind(text).condition
        assert condition is not None
        assert format_rule(condition) == bound
