"""Clauses that are never true, always true or redundant."""

import pytest

from tests.unit.dsl.linting.cases import (
    ALWAYS_TRUE,
    DUPLICATE,
    NEVER_FALSE,
    NEVER_TRUE,
    REDUNDANT,
    UNREACHABLE_BRANCHES,
    codes,
    findings,
)


@pytest.mark.parametrize("text", NEVER_TRUE)
def test_finds_conditions_that_are_never_true(text: str) -> None:
    assert "NEVER_TRUE" in codes(text)


@pytest.mark.parametrize("text", ALWAYS_TRUE)
def test_finds_conditions_that_are_always_true(text: str) -> None:
    assert "ALWAYS_TRUE" in codes(text)


@pytest.mark.parametrize("text", NEVER_FALSE)
def test_finds_conditions_that_only_test_whether_a_value_is_known(text: str) -> None:
    assert codes(text) == {"NEVER_FALSE"}


@pytest.mark.parametrize(
    ("text", "column", "left", "code"),
    [(*case, "REDUNDANT_CLAUSE") for case in REDUNDANT]
    + [(*case, "DUPLICATE_CLAUSE") for case in DUPLICATE]
    + [(*case, "UNREACHABLE_BRANCH") for case in UNREACHABLE_BRANCHES],
)
def test_finds_clauses_that_change_nothing(text: str, column: int, left: str, code: str) -> None:
    (found,) = [finding for finding in findings(text) if finding.code == code]
    assert (found.line, found.column, found.suggestions) == (1, column, (left,))
