"""Foreign syntax of comparisons, values, lists and logic."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.parsing.parser import is_condition
from quanyu.dsl.syntax_errors.foreign_syntax.expressions import EXPRESSION_PATTERNS

# text, column of the error, message, suggestions
CASES = [
    ("x is not null", 3, "ask whether a value exists with `is known` or `is unknown` (U2)", ["is known"]),
    ("x is more than 3", 3, "write more than as `>`", [">"]),
    ("x less than 3", 3, "write less than as `<`", ["<"]),
    (
        "name like 'a%'",
        6,
        "look for a part of a text with `contains`, `starts with` or `ends with`",
        ["starts with 'a'"],
    ),
    ("[x = 1]", 1, "write conditions in round brackets", ["(x = 1)"]),
    ("x > $5", 5, "write an amount without its currency, in major units (A7)", ["5"]),
    ("x > 5元", 5, "write an amount without its currency, in major units (A7)", ["5"]),
    ("x > 3k", 5, "write all digits of a number (G12)", ["3000"]),
    ("x between 1 to 5", 3, "join the ends of `between` with `and`", ["between 1 and 5"]),
    ("x ≤ 3", 3, "write at most as `<=`", ["<="]),
    ("x × 2 > 3", 3, "write times as `*`", ["*"]),
    ("x = 1, y = 2", 5, "join conditions with `and` or `or`", ["1 and y", "1 or y"]),
    ("x = 1 incl. unknown", 7, "write `including unknown` in full", ["including unknown"]),
    ("x = 1 // note", 7, "begin a comment with `#`", ["# note"]),
    ("x is missing", 3, "ask whether a value exists with `is known` or `is unknown` (U2)", ["is unknown"]),
    ("1 <= x <= 5", 1, "a comparison has two sides: write two comparisons", ["x >= 1 and x <= 5"]),
    ("x in ['a'; 'b']", 6, "separate the values of a list with commas", ["['a', 'b']"]),
    ("5 < x <= 10", 1, "a comparison has two sides: write two comparisons", ["x > 5 and x <= 10"]),
    ("x in (1, 2)", 3, "write a list in square brackets", ["in [1, 2]"]),
    ("tastes has 'b'", 8, "ask what a set contains with `has any` or `has all`", ["has any ['b']", "has all ['b']"]),
]


@pytest.mark.parametrize(("text", "column", "message", "offers"), CASES, ids=[row[0] for row in CASES])
def test_foreign_syntax_is_an_error_with_a_suggestion(text: str, column: int, message: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        (parse_condition if is_condition(text) else parse)(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert message in {pattern.message for pattern in EXPRESSION_PATTERNS}
