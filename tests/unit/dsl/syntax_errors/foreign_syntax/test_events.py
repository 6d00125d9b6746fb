"""Foreign syntax of events, their number of times and their filters."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.parsing.parser import is_condition
from quanyu.dsl.syntax_errors.foreign_syntax.events import EVENT_PATTERNS

# text, column of the error, message, suggestions
CASES = [
    (
        "did order 3x",
        11,
        "this number of times is ambiguous: write `at least`, `at most` or `exactly` (E3)",
        ["at least 3 times", "at most 3 times", "exactly 3 times"],
    ),
    ("did order at least 1 time", 11, "write `times`, also after 1", ["at least 1 times"]),
    ("did order at least three times", 11, "write a number of times in digits (E3)", ["at least 3 times"]),
    (
        "did order where (a = 1) (b = 2)",
        11,
        "write all conditions on the event in one filter",
        ["where (a = 1 and b = 2)"],
    ),
    ("did order ever since 2026-01-01", 11, "write one window, not two", ["since"]),
    (
        "did order between 7d and 30d",
        11,
        "write `ago` after two durations that count back from now",
        ["between 7d and 30d ago"],
    ),
    (
        "did order less than 3 times",
        11,
        "write how often with `at least`, `at most` or `exactly` (E3)",
        ["at most 2 times"],
    ),
    (
        "order.amount in last month > 3",
        1,
        "several events have several values: take their sum or their average",
        ["sum(order.amount in last month) >", "avg(order.amount in last month) >"],
    ),
    ("order.where (a = 1)", 1, "write a space instead of the dot before `where`", ["order where ("]),
    ("did order with amount > 3", 5, "filter events with `where (...)`", ["order where (amount > 3)"]),
    ("did a followed by b", 7, "join the steps of a sequence with `then`", ["then"]),
    ("average(order.amount) > 3", 1, "this aggregate has another name in a rule", ["avg"]),
    ("has scanned in last 7d", 1, "write what somebody did with `did`", ["did scan"]),
]


@pytest.mark.parametrize(("text", "column", "message", "offers"), CASES, ids=[row[0] for row in CASES])
def test_foreign_syntax_is_an_error_with_a_suggestion(text: str, column: int, message: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        (parse_condition if is_condition(text) else parse)(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert message in {pattern.message for pattern in EVENT_PATTERNS}
