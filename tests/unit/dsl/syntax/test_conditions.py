"""Conditions, event patterns and expressions as the parser builds them."""

import pytest

from quanyu.dsl import parse_condition
from quanyu.dsl import syntax as s


@pytest.mark.parametrize(
    ("denied", "positive"),
    [
        ("x not between 1 and 2", "x between 1 and 2"),
        ("x not between 1d and 2d ago", "x between 1d and 2d ago"),
        ("x not in ['a']", "x in ['a']"),
        ("x not in last 7d", "x in last 7d"),
        ("x not contains 'a'", "x contains 'a'"),
        ("x not starts with 'a'", "x starts with 'a'"),
        ("x not ends with 'a'", "x ends with 'a'"),
        ("x not matches 'a'", "x matches 'a'"),
        ("anniversary of x not in this month", "anniversary of x in this month"),
        ("did not order in last 7d", "did order in last 7d"),
    ],
)
def test_strip_not_returns_the_condition_without_its_own_not(denied: str, positive: str) -> None:
    assert s.strip_not(parse_condition(denied)) == parse_condition(positive)


@pytest.mark.parametrize("text", ["x = 1", "not (x = 1)", "x != 1", "x has none ['a']", "not in segment vip"])
def test_strip_not_returns_none_for_a_condition_without_its_own_not(text: str) -> None:
    assert s.strip_not(parse_condition(text)) is None


def test_strip_not_keeps_the_span() -> None:
    cond = parse_condition(" x not in ['a']")
    positive = s.strip_not(cond)
    assert positive is not None
    assert positive.span == cond.span


def test_t2_an_event_without_a_window_is_the_event_ever() -> None:
    assert parse_condition("did order") == parse_condition("did order ever")
