"""Unclosed brackets, incomplete conditions and missing connectives."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition

# text, column of the error, message, suggestions
INCOMPLETE = [
    ("a = 1 and", 1, "a condition is missing after `and`", ["a = 1"]),
    ("(a = 1 or )", 2, "a condition is missing after `or`", ["a = 1"]),
    ("a = 1 or or b = 2", 10, "a condition is missing between `or` and `or`", [""]),
    ("and a = 1", 1, "a condition is missing before `and`", [""]),
    ("(or a = 1)", 2, "a condition is missing before `or`", [""]),
    ("vip", 1, "`vip` alone is not a condition: compare it, or ask whether it is known",
     ["vip = true", "vip is known"]),
    ("a = 1 and not order.paid", 15, "`order.paid` alone is not a condition: compare it, or ask whether it is known",
     ["order.paid = true", "order.paid is known"]),
    ("(a = 1", 1, "the `(` that opens here is not closed", ["(a = 1)"]),
    ("a = 1 and (b in ['x']", 11, "the `(` that opens here is not closed", ["(b in ['x'])"]),
    ("a = 1)", 6, "remove this `)`: no bracket is open here", [""]),
    ("a = 1 b = 2", 7, "join two conditions with `and` or `or`", ["and b", "or b"]),
    ("x = 1 did order", 7, "join two conditions with `and` or `or`", ["and did", "or did"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message", "offers"), INCOMPLETE, ids=[row[0] for row in INCOMPLETE])
def test_a_missing_part_is_an_error_that_says_what_to_write(
    text: str, column: int, message: str, offers: list[str]
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert error.reason == "syntax"


def test_an_unclosed_bracket_ends_before_the_next_statement() -> None:
    with pytest.raises(RuleError, match="not closed") as caught:
        parse("segment a: (x = 1\nsegment b: y = 2")
    assert (caught.value.line, caught.value.column, caught.value.suggestions) == (1, 12, ("(x = 1)",))
