"""Keywords: which names need backquotes, and the Chinese words for a token."""

import pytest

from quanyu.dsl import parse_condition
from quanyu.dsl.keywords import BETWEEN_ENDS, RESERVED, find_chinese_words, needs_backquotes
from quanyu.dsl.parsing.lexer import tokenize


@pytest.mark.parametrize("name", ["city", "城市", "a1", "_x", "last_order", "count", "true"])
def test_g10_a_plain_name_that_is_not_reserved_is_written_bare(name: str) -> None:
    assert name not in RESERVED
    assert not needs_backquotes(name)
    parse_condition(f"x in [{name}]")


@pytest.mark.parametrize("name", ["times", "做过", BETWEEN_ENDS, "a b", "1st", "x-y", "", "2"])
def test_g10_keywords_and_other_names_need_backquotes(name: str) -> None:
    assert needs_backquotes(name)


@pytest.mark.parametrize(
    ("text", "words"), [("did", ("做过",)), ("days", ("天", "日")), ("in", ("在", "属于")), ("x", ()), ("=", ())]
)
def test_g14_a_keyword_token_has_its_chinese_words(text: str, words: tuple[str, ...]) -> None:
    (token,) = tokenize(text)
    assert find_chinese_words(token) == words


def test_an_aggregate_and_a_unit_of_the_same_word_have_different_chinese_words() -> None:
    aggregate, *_ = tokenize("days(order)")
    assert find_chinese_words(aggregate) == ("天数",)
