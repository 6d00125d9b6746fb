"""Errors of texts that do not parse: unknown characters, keywords as names, misspellings, and the expected syntax."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition


def error_of(text: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        ("", 1, "ends too early"),
        ("x >", 4, "ends too early"),
        ("(a = 1", 1, "not closed"),
        ("x in ['a", 7, "quotes"),
        ("a = 1 && b = 2", 7, "no meaning"),
        ("did order where a = 1", 11, "filter in brackets"),
        ("sum(order.x in at least 3 of last 4 calendar weeks) > 1", 16, "expected"),
        ("did order of last 3 calendar weeks", 11, "expected"),
        ("x is unknown segment", 14, "expected the end of the rule"),
    ],
)
def test_the_error_names_the_expected_syntax_in_words(rule: str, column: int, message: str) -> None:
    error = error_of(rule)
    assert message in error.message
    assert error.column == column
    assert "Token" not in str(error)
    assert "_" not in error.message


def test_g10_a_keyword_as_a_name_needs_backquotes_or_quotes() -> None:
    error = error_of("times > 3")
    assert (error.column, error.reason, error.suggestions) == (1, "syntax", ("`times`", "'times'"))
    assert error.message == "`times` is a keyword: write a name in backquotes and a value in quotes (G10)"


def test_g18_a_keyword_in_capitals_is_an_error() -> None:
    error = error_of("a = 1 AND b = 2")
    assert (error.column, error.reason, error.suggestions) == (7, "syntax", ("and",))
    assert error.message == "write the keyword `AND` in lower case (G18)"


def test_a_full_width_sign_is_replaced_by_the_plain_sign() -> None:
    error = error_of("x = （1)")
    assert (error.column, error.reason, error.suggestions) == (5, "syntax", ("(",))


def test_all_full_width_signs_of_the_line_are_replaced_outside_quotes() -> None:
    assert error_of("（x ＝ '（'）").suggestions == ("(x = '（')",)


@pytest.mark.parametrize(
    ("text", "column", "keyword"),
    [("x betwen 1 and 2", 3, "between"), ("did order atleast 3 times", 11, "at least"), ("x is knwon", 3, "is known")],
)
def test_a_misspelt_keyword_is_corrected(text: str, column: int, keyword: str) -> None:
    error = error_of(text)
    assert (error.column, error.suggestions) == (column, (keyword,))
    assert error.message.endswith(f"is not a keyword: write `{keyword}`")


def test_a_long_list_of_expected_syntax_names_values_first_and_is_cut() -> None:
    assert error_of("x zz").message == (
        "unexpected `zz`; expected a comparison, `before`, `between`, `contains`, `default`, `in`, `matches`, `not`"
        " or ..."
    )


def test_statements_are_expected_only_where_nothing_else_is() -> None:
    assert error_of("x is unknown segment").message == "unexpected `segment`; expected the end of the rule"
    with pytest.raises(RuleError, match="expected the end of the rule, `define`, `metric`, `segment`, `tag`"):
        parse("zz")
