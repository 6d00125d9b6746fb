"""Page tokens of lists of rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.calls.page_tokens import parse_rule_page_token, rule_page_token


@given(st.text(min_size=1), st.integers(1, 2**31))
def test_a_token_has_the_rule(name: str, version: int) -> None:
    assert parse_rule_page_token(rule_page_token(name, version)) == (name, version)


def test_an_empty_token_is_before_the_first_rule() -> None:
    assert parse_rule_page_token("") == ("", 0)


@pytest.mark.parametrize("token", ["3", "3:", "x:name", "-1:name"])
def test_an_invalid_token_is_rejected(token: str) -> None:
    with pytest.raises(InvalidInput):
        parse_rule_page_token(token)
