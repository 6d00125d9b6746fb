"""Foreign syntax of statements, segments, ranks, samples and places."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.parsing.parser import is_condition
from quanyu.dsl.syntax_errors.foreign_syntax.statements import STATEMENT_PATTERNS

# text, column of the error, message, suggestions
CASES = [
    ("tag t = 'a' when x = 1", 1, "write `:` after the name of a tag", ["tag t: "]),
    (
        "tag t: 'a' when x = 1; else 'b' when y = 2",
        22,
        "remove the condition after `else`: it takes everybody who is left (G7)",
        ["; else 'b'"],
    ),
    ("not in vip", 5, "ask for membership with `in segment`", ["in segment vip"]),
    ("in segment vip 30d ago", 1, "ask for past membership with `was in segment`", ["was in segment vip 30d ago"]),
    ("x in bottom 5 buyers", 3, "write `of` before the segment of a rank", ["in bottom 5 of buyers"]),
    (
        "quintile(x of buyers) = 1",
        1,
        "write `among` before the segment of a quintile, decile or percentile",
        ["quintile(x among buyers)"],
    ),
    ("home within 3 of (1, 2)", 6, "write the unit of the distance", ["within 3km of", "within 3m of"]),
    ("if x = 1 then y = 2", 1, "join the two conditions with `and` instead of `if` and `then`", ["x = 1 and y = 2"]),
    ("define d: order", 1, "write `=` after the name of a metric or definition", ["define d = "]),
    ("left vip in last 7d", 1, "write `segment` before the name of the segment", ["left segment vip"]),
    ("home within 3 km of (1, 2)", 6, "write a distance as a number and its unit, such as 3km", ["within 3km of"]),
]


@pytest.mark.parametrize(("text", "column", "message", "offers"), CASES, ids=[row[0] for row in CASES])
def test_foreign_syntax_is_an_error_with_a_suggestion(text: str, column: int, message: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        (parse_condition if is_condition(text) else parse)(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert message in {pattern.message for pattern in STATEMENT_PATTERNS}
