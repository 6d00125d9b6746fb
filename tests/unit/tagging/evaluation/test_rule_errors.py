"""Conversion of errors in a rule's text to errors of a call."""

from __future__ import annotations

import pytest

from quanyu.dsl import Library, RuleError, check_and_bind
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.rule_errors import reason_of, rule_errors_as_invalid_input
from tests.unit.tagging.sample_workspace import CATALOG


def test_a_rule_error_keeps_its_place_reason_and_suggestions() -> None:
    with pytest.raises(InvalidInput) as caught, rule_errors_as_invalid_input():
        check_and_bind("segment s:\n  citi = 'Beijing'", CATALOG, Library())
    error = caught.value
    assert (error.reason, error.metadata["line"], error.metadata["column"]) == ("RULE_NAME", "2", "3")
    assert error.metadata["suggestions"].split("\n") == ["city"]
    assert "    citi = 'Beijing'\n    ^" in error.message


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), rule_errors_as_invalid_input():
        raise KeyError


@pytest.mark.parametrize(
    ("text", "reason"), [("city =", "RULE_SYNTAX"), ("citi = 'a'", "RULE_NAME"), ("city > 3", "RULE_TYPE")]
)
def test_a_reason_is_an_upper_case_code(text: str, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_and_bind(text, CATALOG, Library())
    assert reason_of(caught.value) == reason
