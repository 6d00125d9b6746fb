"""Searches among the tokens around an error."""

import pytest

from quanyu.dsl.parsing.lexer import tokenize
from quanyu.dsl.syntax_errors.token_context import CONNECTIVES, TokenContext

TEXT = "a = 1 and (b = 2 or c between 3 and 4) or d = 5"


def context_at(word: str, text: str = TEXT) -> TokenContext:
    """Returns the context at the first token with this word, or at the end of the text."""
    tokens = list(tokenize(text))
    at = next((n for n, token in enumerate(tokens) if text[token.start_pos : token.end_pos] == word), len(tokens))
    return TokenContext(text, tokens, at)


def test_kind_and_word_are_empty_outside_the_text() -> None:
    context = context_at("a")
    assert (context.kind(), context.word(), context.kind(1), context.word(1)) == ("NAME", "a", "EQUAL", "=")
    assert (context.kind(-1), context.word(-1), context.kind(99), context.word(99)) == ("", "", "", "")


def test_there_is_no_token_at_the_end_of_the_text() -> None:
    assert context_at("missing").token is None


def test_text_between_tokens_keeps_the_white_space_of_the_text() -> None:
    context = context_at("x", "x   =  1")
    assert context.text_between(0, 3) == "x   =  1"
    assert context.text_between(0, 99) == "x   =  1"
    assert context.text_between(2, 2) == ""


@pytest.mark.parametrize(("word", "first"), [("d", "d"), ("b", "b"), ("c", "c"), ("4", "4")])
def test_the_start_is_after_the_nearest_stop_or_the_bracket(word: str, first: str) -> None:
    context = context_at(word)
    assert context.text_of(context.tokens[context.find_start(CONNECTIVES)]) == first


def test_brackets_hide_the_stops_inside_them() -> None:
    context = context_at("missing")
    assert context.text_between(context.find_start(("EQUAL",)), context.at) == "5"
    assert context.text_between(0, context.find_end(0, ("OR",))) == "a = 1 and (b = 2 or c between 3 and 4)"
    assert context.find_end(0, ("SEMICOLON",)) == len(context.tokens)


def test_connectives_are_outside_brackets_and_join_conditions() -> None:
    context = context_at("missing")
    words = [context.text_of(context.tokens[n]) for n in context.find_connectives(0, context.at)]
    assert words == ["and", "or"]
    between = context_at("missing", "c between 3 and 4 and d = 5")
    assert between.find_connectives(0, between.at) == [5]


def test_an_error_is_at_the_token_at_an_offset_or_at_the_end_of_the_text() -> None:
    context = context_at("x", "a = 1\n  x y")
    assert (context.error("m").line, context.error("m").column) == (2, 3)
    assert (context.error("m", offset=1).line, context.error("m", offset=1).column) == (2, 5)
    assert (context.error("m", begin=0).line, context.error("m", begin=0).column) == (1, 1)
    end = context_at("missing", "a\nbc")
    assert (end.error("m", "o").line, end.error("m").column, end.error("m", "o").suggestions) == (2, 3, ("o",))
