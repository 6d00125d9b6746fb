"""The search for values that contain the typed word."""

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.completion.matching import find_matches, normalize

VALUES = ("gold", "silver", "Old Gold", "ＧＯＬＤ", "line\nbreak")


def test_values_that_begin_with_the_word_are_apart_from_those_that_contain_it() -> None:
    assert find_matches(VALUES, "go", 10) == (["gold", "ＧＯＬＤ"], ["Old Gold"])


def test_without_a_word_all_values_on_one_line_match() -> None:
    assert find_matches(VALUES, "", 10) == (["gold", "silver", "Old Gold", "ＧＯＬＤ"], [])
    assert find_matches(VALUES, "", 2) == (["gold", "silver"], [])


def test_the_limit_counts_both_lists() -> None:
    assert find_matches(VALUES, "go", 2) == (["gold", "ＧＯＬＤ"], [])
    assert find_matches(VALUES, "go", 1) == (["gold"], [])


def test_case_and_width_do_not_matter() -> None:
    assert normalize("ＧＯＬＤ") == normalize("gold") == normalize("GOLD")


@given(st.lists(st.text("ab\n", max_size=4), max_size=8, unique=True).map(tuple), st.text("ab", min_size=1, max_size=2))
def test_the_search_finds_what_a_loop_finds(values: tuple[str, ...], typed: str) -> None:
    lines = [value for value in values if "\n" not in value]
    begins = [value for value in lines if value.startswith(typed)]
    contains = [value for value in lines if typed in value and not value.startswith(typed)]
    assert find_matches(values, typed, 100) == (begins, contains)
