"""Foreign syntax of windows, durations and dates."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.parsing.parser import is_condition
from quanyu.dsl.syntax_errors.foreign_syntax.windows import WINDOW_PATTERNS

# text, column of the error, message, suggestions
CASES = [
    ("did order in the previous month", 11, "write `last` for the unit before this one", ["in last month"]),
    ("did order last month", 11, "write `in` before a calendar window", ["in last month"]),
    ("did order in last 2H", 19, "write a duration as one number and its unit, such as 7d or 2h (G12)", ["2h"]),
    ("did order on 2026年1月31日", 14, "write a date as year-month-day, such as 2026-01-31", ["2026-01-31"]),
    ("did order on 03/04/2026", 14, "write a date as year-month-day, such as 2026-01-31", ["2026-04-03", "2026-03-04"]),
    ("did order since 2026-1-5", 17, "write a date as year-month-day, such as 2026-01-31", ["2026-01-05"]),
    (
        "did order since 2026-01-31 9:00",
        17,
        "write a time of day as 09:00 or 22:00, after its date",
        ["2026-01-31 09:00"],
    ),
    (
        "did order until 2026-01-31",
        11,
        "write up to a day as `before`, which leaves that day out",
        ["before 2026-01-31"],
    ),
    (
        "did order between 2026-01-01 to 2026-01-31",
        11,
        "join the ends of `between` with `and`",
        ["between 2026-01-01 and 2026-01-31"],
    ),
    ("did order in January 2026", 11, "write a month as year-month, such as 2026-01", ["in 2026-01"]),
    (
        "signup_at >= today",
        11,
        "this word is a window, not a date: remove the sign, or write a date after it",
        ["since 2026-01-31"],
    ),
    (
        "did order since yesterday",
        11,
        "remove `since` or `before`: this word alone is a window, not a date",
        ["yesterday"],
    ),
    ("did order each month", 11, "say how far back: write a number of units", ["in each of last 4 calendar months"]),
    ("did order 7d ago", 11, "write an elapsed-time window as `in last 30d`", ["in last 7d"]),
    (
        "did order 在 最近 30天内",
        13,
        "经过的时间，还是完整的自然单位? this is ambiguous: it can mean elapsed time or whole local units (G12)",
        ["在 最近 30d", "在 最近 30 自然 天"],
    ),
    (
        "做过 下单 最近7天",
        7,
        "经过的时间，还是完整的自然单位? this is ambiguous: it can mean elapsed time or whole local units (G12)",
        ["在 最近 7d", "在 最近 7 自然 天"],
    ),
]


@pytest.mark.parametrize(("text", "column", "message", "offers"), CASES, ids=[row[0] for row in CASES])
def test_foreign_syntax_is_an_error_with_a_suggestion(text: str, column: int, message: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        (parse_condition if is_condition(text) else parse)(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert message in {pattern.message for pattern in WINDOW_PATTERNS}
