"""Page tokens come back unchanged or are refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.rpc.paging import page_limit, parse_page_token


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert parse_page_token(":".join(map(str, numbers)), len(numbers)) == tuple(numbers)


@given(st.text(min_size=1), st.integers(1, 3))
def test_anything_else_is_refused_or_made_of_digits(token: str, count: int) -> None:
    with suppress(InvalidInput):
        numbers = parse_page_token(token, count)
        assert len(numbers) == count
        assert set(token) <= set("0123456789:")


@pytest.mark.parametrize("token", [str(2**63), "9" * 20, "9" * 10_000])
def test_numbers_that_nothing_counts_to_are_refused_in_few_words(token: str) -> None:
    with pytest.raises(InvalidInput, match="is not of this list") as caught:
        parse_page_token(token, 1)
    assert len(caught.value.message) < 250


def test_the_first_page_starts_at_zero() -> None:
    assert parse_page_token("", 2) == (0, 0)


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (1, 1), (1000, 1000), (4_000_000_000, 1000)])
def test_page_sizes(asked: int, given: int) -> None:
    assert page_limit(asked) == given
