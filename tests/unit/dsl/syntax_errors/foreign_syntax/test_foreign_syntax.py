"""The search for foreign syntax in the tables of all subjects."""

from quanyu.dsl.syntax_errors.foreign_syntax import find_foreign_syntax


def test_the_error_is_at_the_beginning_of_the_text_to_replace() -> None:
    error = find_foreign_syntax("a = 1 and\n  did order every week", 22)
    assert error is not None
    assert (error.line, error.column, error.reason) == (2, 13, "syntax")
    assert error.suggestions == ("in each of last 4 calendar weeks",)


def test_there_is_no_error_where_no_pattern_matches() -> None:
    assert find_foreign_syntax("did order", 4) is None


def test_a_pattern_without_a_new_text_is_skipped() -> None:
    assert find_foreign_syntax("did order in last 7d", 13) is None
