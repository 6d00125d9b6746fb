"""Ambiguous texts: each is an error at the exact column, with one suggestion for each meaning."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition

# text, column of the error, suggestions
AMBIGUOUS = [
    ("not a = 1 including unknown", 11, ["not (a = 1 including unknown)", "(not a = 1) including unknown"]),  # G4
    ("a = 1 and b = 2 or c = 3", 17, ["(a = 1 and b = 2) or c = 3", "a = 1 and (b = 2 or c = 3)"]),  # G5
    (
        "(x = 1 or a between 1 and 2 and c between 3 and 4)",
        29,
        ["(x = 1 or a between 1 and 2) and c between 3 and 4", "x = 1 or (a between 1 and 2 and c between 3 and 4)"],
    ),
    ("anniversary of b ever", 18, ["in next 7 calendar days"]),  # G9
    ("did order at least 3 times for the first time", 28, ["for the first time"]),
    ("did order for the first time exactly 3 times", 30, ["for the first time"]),
    ("x > 1000-10", 5, ["1000 - 10", "in 1000-10"]),  # G12
    ("did order in last 90m", 19, ["90min", "3 calendar months"]),
    ("did order in last 30 days", 19, ["30d", "30 calendar days"]),
    ("did order in last 1 month", 19, ["1 calendar month", "30d"]),
    ("last_touch > 30 days", 14, ["30d"]),
    ("did order in last 1.5h", 19, ["90min"]),
    ("did order in last 1h30min", 19, ["90min"]),
    ("did order in last 2 hours", 19, ["2h"]),
    ("x > 1,000", 5, ["1000"]),
    ("x > 1e3", 5, ["1000"]),
    ("做过 下单 在 最近 30 天", 12, ["30d", "30 自然 天"]),  # G14
    ("a + b default 0 > 1", 7, ["(a + b) default 0", "a + (b default 0)"]),  # G15
    ("a = b default 0", 7, ["a = (b default 0)", "(a default 0) = b"]),
    ("did order in next 7d", 14, ["last 7d"]),  # T1
    ("did order tomorrow", 11, ["yesterday", "today"]),
    ("count(order in next 7d) > 1", 16, ["last 7d"]),
    ("anniversary of b in next 7d", 26, ["next 7 calendar days"]),  # T16
    ("anniversary of b in last 36h", 26, ["last 2 calendar days"]),
    ("did order 3 times", 11, ["at least 3 times", "at most 3 times", "exactly 3 times"]),  # E3
    ("entered segment a", 18, ["entered segment a in last 7d", "entered segment a in last month"]),  # G19
    ("left segment a@2 and b = 1", 18, ["left segment a@2 in last 7d", "left segment a@2 in last month"]),
    ("was in segment a", 17, ["was in segment a 30d ago", "was in segment a on 2026-01-31"]),
    ("was in segment a in last 7d", 18, ["was in segment a 30d ago", "was in segment a on 2026-01-31"]),
    ("was not in segment a 30d ago and b = 1", 5, ["not was in segment a 30d ago"]),
    ("x == 1", 3, ["="]),
]


@pytest.mark.parametrize(("text", "column", "offers"), AMBIGUOUS, ids=[text for text, _, _ in AMBIGUOUS])
def test_an_ambiguous_text_is_an_error_that_offers_each_meaning(text: str, column: int, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    error = caught.value
    assert (error.line, error.column, error.reason) == (1, column, "syntax")
    assert list(error.suggestions) == offers


@pytest.mark.parametrize(
    "text",
    [
        "not a = 1 including unknown",
        "a = 1 and b = 2 or c = 3",
        "(x = 1 or a between 1 and 2 and c between 3 and 4)",
    ],
)
def test_the_two_ways_to_write_brackets_have_different_trees(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    one, other = (parse_condition(offer) for offer in caught.value.suggestions)
    assert one != other


def test_g17_a_filtered_step_among_several_needs_brackets() -> None:
    with pytest.raises(RuleError) as caught:
        parse("define a = order or scan where (code = 'x')")
    one, other = caught.value.suggestions
    assert caught.value.column == 26
    assert one == "order or (scan where (code = 'x'))"
    assert other == "(order where (code = 'x')) or (scan where (code = 'x'))"
    assert parse(f"define a = {one}") != parse(f"define a = {other}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("did order 3 times", "`3 times` is ambiguous: write `at least`, `at most` or `exactly` (E3)"),
        ("做过 下单 3 次", "`3 次` is ambiguous: write `至少`, `至多` or `恰好` (E3)"),
        ("did order in last 1 month", "`1 month` is ambiguous: it can mean elapsed time or whole local months (G12)"),
        ("was in segment a", "`was in segment` needs a time: write `ago` or `on` (G19)"),
        ("x == 1", "write `==` as `=`"),
    ],
)
def test_the_message_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    assert caught.value.message == message


def test_a_very_long_chain_is_not_repeated_in_suggestions() -> None:
    chain = " and ".join(["a = 1"] * 200)
    with pytest.raises(RuleError, match="do not mix without brackets") as caught:
        parse_condition(f"{chain} or b = 1")
    assert caught.value.suggestions == ()
