"""Chinese text has the same tokens as the English text, in the same order (G14)."""

import pytest
from hypothesis import given

from quanyu.dsl import format_rule, parse, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.chinese import translate_to_chinese
from quanyu.dsl.keywords import CHINESE_KEYWORDS, find_chinese_words
from quanyu.dsl.parsing.lexer import tokenize
from tests.seed import examples
from tests.unit.dsl import trees

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(100)
@given(trees.conditions)
def test_a_chinese_condition_parses_to_the_same_tree(cond: s.Cond) -> None:
    assert parse_condition(format_rule(cond, "zh")) == cond


@examples(100)
@given(trees.statements)
def test_a_chinese_statement_parses_to_the_same_tree(statement: s.Statement) -> None:
    script = s.Script((statement,))
    assert parse(format_rule(script, "zh")) == script


@examples(60)
@given(trees.conditions)
def test_g14_the_chinese_text_has_the_same_tokens_in_the_same_order(cond: s.Cond) -> None:
    chinese, english = format_rule(cond, "zh"), format_rule(cond)
    tokens = list(tokenize(chinese))
    kinds = ["AND" if token == "至" and token.type != "NAME" else token.type for token in tokens]
    assert kinds == [token.type for token in tokenize(english)]
    assert not [
        token for token in tokens if find_chinese_words(token) and chinese[token.start_pos : token.end_pos].isascii()
    ]


def test_g14_both_words_for_a_keyword_are_read() -> None:
    text = "下单 在 ['x']"
    assert parse_condition(text) == parse_condition(text.replace("在", "属于"))
    assert CHINESE_KEYWORDS["in"] == ("在", "属于")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("in last 30d", "在 最近 30d"),
        ("in last month", "在 上 月"),
        ("x in ['and']", "x 属于 ['and']"),
        ("x between 1 and 2 and y = 3", "x 介于 1 至 2 且 y = 3"),
        ("x within 3km of y", "x 不超过 3km 距 y"),
        ("x in top 3 of y", "x 位居前 3 范围 y"),
        ("`and` = 1", "`and` = 1"),
    ],
)
def test_g14_a_keyword_has_the_chinese_word_of_its_role(english: str, chinese: str) -> None:
    assert translate_to_chinese(english) == chinese
