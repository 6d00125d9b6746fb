"""Checks of literals: whole numbers, calendar units, sizes and the order of two ends."""

import pytest

from quanyu.dsl import RuleError, parse_condition

# text, column, part of the message
INVALID = [
    ("did order in last 0 calendar days", 19, "empty window"),
    ("did order at least 1.5 times", 20, "whole number"),
    ("did order in last 1.5 calendar days", 19, "whole number"),
    ("x between 5 and 1", 11, "wrong order"),  # T10
    ("x between 2d and 1d", 11, "wrong order"),
    ("did order between 2026-01-02 and 2026-01-01", 19, "wrong order"),
    ("did order between 2026-01-02 and 2026-01-01 10:00", 19, "wrong order"),
    ("sample 110% seed 'a'", 8, "more than everybody"),  # G13
    ("x in top 100.5%", 10, "more than everybody"),
    ("x in top 1.5", 10, "whole number"),  # R7
]


@pytest.mark.parametrize(("text", "column", "message"), INVALID, ids=[text for text, _, _ in INVALID])
def test_an_invalid_literal_is_an_error_at_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse_condition(text)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (1, column, "value")


@pytest.mark.parametrize("text", ["x between 7d and 30d ago", "x between 30d and 7d ago", "x between 3 and 3"])
def test_t11_ends_of_ago_may_have_any_order_and_equal_ends_are_valid(text: str) -> None:
    parse_condition(text)


@pytest.mark.parametrize("text", ["x in top 100%", "sample 100% seed 'a'", "x between a and 1", "x between 1d and 2"])
def test_limits_and_ends_that_cannot_be_ordered_are_valid(text: str) -> None:
    parse_condition(text)


def test_a_count_above_the_limit_is_an_error() -> None:
    parse_condition("did order at least 1000000000 times")
    with pytest.raises(RuleError, match="too large: write at most 1000000000"):
        parse_condition("did order at least 1000000001 times")
