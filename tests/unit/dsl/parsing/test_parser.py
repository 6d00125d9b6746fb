"""The parser: limits, the kinds of texts, and Chinese texts."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import is_condition, start_interactive_parser


def test_g9_too_long_or_too_deep_texts_are_limit_errors() -> None:
    for text in ("x" * 100_001, "(" * 2000 + "a = 1" + ")" * 2000, " + ".join(["a"] * 5000) + " > 1"):
        with pytest.raises(RuleError) as caught:
            parse_condition(text)
        assert caught.value.reason == "limit"


def test_half_a_character_is_an_error_at_its_place() -> None:
    with pytest.raises(RuleError, match="half a character") as caught:
        parse_condition("city = '\ud800'")
    assert (caught.value.line, caught.value.column) == (1, 9)


def test_a_number_of_too_many_digits_is_a_limit_error() -> None:
    with pytest.raises(RuleError, match="too many digits") as caught:
        parse_condition("did order in last " + "9" * 10_000 + "d")
    assert (caught.value.column, caught.value.reason) == (19, "limit")


@pytest.mark.parametrize("text", ["x = 1", "(x = 1)", "did order", "x", "做过 下单"])
def test_a_text_that_begins_no_statement_is_a_condition(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize("text", ["segment a: x = 1", "use day starts 04:00", "人群 a: x = 1", "", "# only", "?"])
def test_statements_and_empty_texts_are_not_conditions(text: str) -> None:
    assert not is_condition(text)


def test_the_span_of_a_script_is_the_whole_text() -> None:
    text = " segment a: x = 1 "
    assert parse(text).span == s.Span(1, 1, 0, len(text))


def test_the_interactive_parser_starts_before_the_first_token() -> None:
    assert "SEGMENT" in start_interactive_parser("start").accepts()
    assert "SEGMENT" not in start_interactive_parser("cond").accepts()


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
def test_g14_chinese_text_has_the_same_tokens(chinese: str, english: str) -> None:
    assert parse_condition(chinese) == parse_condition(english)


def test_g14_statements_can_be_chinese() -> None:
    assert parse("标签 t: 'a' 当 x = 1; 否则 'b'") == parse("tag t: 'a' when x = 1; else 'b'")
    assert parse("人群 s 限于 b: x 已知") == parse("segment s among b: x is known")
    assert parse("定义 d@2 = a 或 b 指标 m = 次数 (a)") == parse("define d@2 = a or b metric m = count(a)")
