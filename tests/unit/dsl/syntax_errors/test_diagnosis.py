"""What does not parse: the exact column, and what the message offers."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl import syntax as s

# rule, column of the caret, offers
READINGS = [
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
    ("times > 3", 1, ["`times`", "'times'"]),  # G10
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
    ("a = 1 AND b = 2", 7, ["and"]),  # G18
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
    ("x = （1)", 5, ["("]),
]


@pytest.mark.parametrize(("rule", "column", "offers"), READINGS, ids=[rule for rule, _, _ in READINGS])
def test_two_readings(rule: str, column: int, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(rule)
    error = caught.value
    assert (error.line, error.column, error.reason) == (1, column, "syntax")
    assert list(error.suggestions) == offers


@pytest.mark.parametrize("rule", [rule for rule, _, _ in READINGS if rule not in ("times > 3",)])
def test_whole_offers_of_logic_parse_and_differ(rule: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(rule)
    if "brackets" not in caught.value.message or "default" in caught.value.message:
        return
    one, other = (parse_condition(offer) for offer in caught.value.suggestions)
    assert one != other


def test_g17_a_filtered_step_among_several() -> None:
    with pytest.raises(RuleError) as caught:
        parse("define a = order or scan where (code = 'x')")
    one, other = caught.value.suggestions
    assert caught.value.column == 26
    assert one == "order or (scan where (code = 'x'))"
    assert other == "(order where (code = 'x')) or (scan where (code = 'x'))"
    assert parse(f"define a = {one}") != parse(f"define a = {other}")


VALUES = [
    ("did order in last 0d", 19, "empty duration"),  # G9
    ("did order in last 0 calendar days", 19, "empty window"),
    ("did order at least 1.5 times", 20, "whole number"),
    ("did order in last 1.5 calendar days", 19, "whole number"),
    ("did order on 2026-02-30", 14, "does not exist"),
    ("did order since 2026-01-01 25:00", 17, "does not exist"),
    ("x between 5 and 1", 11, "wrong order"),  # T10
    ("x between 2d and 1d", 11, "wrong order"),
    ("did order between 2026-01-02 and 2026-01-01", 19, "wrong order"),
    ("did order between 2026-01-02 and 2026-01-01 10:00", 19, "wrong order"),
    ("sample 110% seed 'a'", 8, "more than everybody"),  # G13
    ("x in top 100.5%", 10, "more than everybody"),
    ("x in top 1.5", 10, "whole number"),  # R7
    ("home within 3km of (131.2, 31.4)", 20, "latitude, longitude"),  # P3
    ("touch@0 > 3", 6, "begin at 1"),
]


@pytest.mark.parametrize(("rule", "column", "message"), VALUES, ids=[rule for rule, _, _ in VALUES])
def test_values_that_do_not_exist(rule: str, column: int, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse_condition(rule)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (1, column, "value")


@pytest.mark.parametrize("rule", ["x between 7d and 30d ago", "x between 30d and 7d ago", "x between 3 and 3"])
def test_t11_ends_that_are_in_order(rule: str) -> None:
    parse_condition(rule)


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
def test_expected_in_words(rule: str, column: int, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse_condition(rule)
    assert caught.value.column == column
    assert "Token" not in str(caught.value)
    assert "_" not in caught.value.message


def test_the_caret_stands_under_its_column() -> None:
    with pytest.raises(RuleError) as caught:
        parse("segment a:\n  did order 3 times")
    assert str(caught.value).split("\n")[:3] == [
        "line 2, column 13: `3 times` is ambiguous: write `at least`, `at most` or `exactly` (E3)",
        "    did order 3 times",
        "              ^",
    ]


def test_the_caret_after_chinese_is_as_wide_as_the_text() -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition("做过 下单 3 次")
    assert str(caught.value).split("\n")[2] == "  　　 　　 ^"


def test_of_a_long_line_the_place_is_shown() -> None:
    clauses = " or ".join(["city = 'x'"] * 2_000)
    with pytest.raises(RuleError) as caught:
        parse_condition(f"{clauses} or city ! 'x' or {clauses}")
    where, line, caret, *_ = str(caught.value).split("\n")
    assert where.startswith("line 1, column 28006: ")
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("! 'x' or city")


def test_g2_a_minus_sign_belongs_to_a_value() -> None:
    assert parse_condition("a < -5") == parse_condition("a < - 5")
    with pytest.raises(RuleError):
        parse_condition("a < +5")


def test_g9_too_much_text_or_depth() -> None:
    for text in ("x" * 100_001, "(" * 2000 + "a = 1" + ")" * 2000, " + ".join(["a"] * 5000) + " > 1"):
        with pytest.raises(RuleError) as caught:
            parse_condition(text)
        assert caught.value.reason == "limit"


def test_half_a_character_is_refused_where_it_stands() -> None:
    with pytest.raises(RuleError, match="half a character") as caught:
        parse_condition("city = '\ud800'")
    assert (caught.value.line, caught.value.column) == (1, 9)


def test_g10_backquotes_and_quotes() -> None:
    assert parse_condition("order.`times` > 3") == s.Compare(
        s.Path(s.Ref("order"), (s.Key("times"),)),
        ">",
        parse_condition("x > 3").right,  # type: ignore[union-attr]
    )
    assert parse_condition("x = 'last'") == s.Compare(s.Path(s.Ref("x")), "=", s.Text("last"))


CHINESE = [
    ("城市 属于 ['上海'] 且 做过 下单 至少 3 次 在 最近 30d", "城市 in ['上海'] and did 下单 at least 3 times in last 30d"),  # noqa: E501
    ("x 介于 1 至 5 或 y 已知", "x between 1 and 5 or y is known"),
    ("非 (x 不 属于 ['a']) 或 (z = 是) 含未知", "not (x not in ['a']) or (z = true) including unknown"),
    ("合计 (a.b 其中 (c = 1) 在 上 月) > 1", "sum(a.b where (c = 1) in last month) > 1"),
    ("天数 (a 在 本 年) >= 2", "days(a in this year) >= 2"),
    ("五分位 (m 限于 b) = 5", "quintile(m among b) = 5"),
    ("m 位居前 10% 范围 b", "m in top 10% of b"),
    ("home 不超过 3km 距 (31.2, 121.4)", "home within 3km of (31.2, 121.4)"),
    ("做过 (a 然后 b 间隔至少 1d 不超过 2d 期间没有 c) 按 d", "did (a then b after 1d within 2d without c) by d"),
    ("做过 a 首次 在 最近 7d", "did a for the first time in last 7d"),
    ("没做过 a 在 每个 范围 最近 4 自然 周", "did not a in each of last 4 calendar weeks"),
    ("周年日 b 在 未来 7 自然 天", "anniversary of b in next 7 calendar days"),
    ("曾属于人群 s 30d 前", "was in segment s 30d ago"),
    ("进入人群 s 自 2026-01-01 且 属于人群 t", "entered segment s since 2026-01-01 and in segment t"),
    ("抽样 10% 种子 's'", "sample 10% seed 's'"),
    ("a 含任一 ['x'] 且 b 含全部 ['y'] 且 c 不含 ['z']", "a has any ['x'] and b has all ['y'] and c has none ['z']"),
    ("a 开头是 'x' 且 b 结尾是 'y' 且 c 包含 'z'", "a starts with 'x' and b ends with 'y' and c contains 'z'"),
]  # fmt: skip


@pytest.mark.parametrize(("chinese", "english"), CHINESE)
def test_g14_chinese_is_the_same_tokens(chinese: str, english: str) -> None:
    assert parse_condition(chinese) == parse_condition(english)


def test_g14_statements_in_chinese() -> None:
    assert parse("标签 t: 'a' 当 x = 1; 否则 'b'") == parse("tag t: 'a' when x = 1; else 'b'")
    assert parse("人群 s 限于 b: x 已知") == parse("segment s among b: x is known")
    assert parse("定义 d@2 = a 或 b 指标 m = 次数 (a)") == parse("define d@2 = a or b metric m = count(a)")
