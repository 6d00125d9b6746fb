"""Page sizes and page tokens."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.rpc.paging import page_limit, parse_page_token


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4))
def test_a_token_has_its_numbers(numbers: list[int]) -> None:
    assert parse_page_token(":".join(map(str, numbers)), len(numbers)) == tuple(numbers)


@given(st.text(min_size=1), st.integers(1, 3))
def test_a_token_with_other_characters_is_rejected(token: str, count: int) -> None:
    with suppress(InvalidInput):
        numbers = parse_page_token(token, count)
        assert len(numbers) == count
        assert set(token) <= set("0123456789:")


@pytest.mark.parametrize("token", [str(2**63), "9" * 20, "9" * 10_000])
def test_a_number_above_64_bits_is_rejected_with_a_short_message(token: str) -> None:
    with pytest.raises(InvalidInput, match="is not of this list") as caught:
        parse_page_token(token, 1)
    assert len(caught.value.message) < 250


def test_the_first_page_starts_at_zero() -> None:
    assert parse_page_token("", 2) == (0, 0)


@pytest.mark.parametrize(("requested", "expected"), [(0, 100), (1, 1), (1000, 1000), (4_000_000_000, 1000)])
def test_a_page_has_100_items_by_default_and_at_most_1000(requested: int, expected: int) -> None:
    assert page_limit(requested) == expected
