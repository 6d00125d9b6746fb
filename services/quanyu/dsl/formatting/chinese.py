"""Canonical English text in Chinese: token by token, in the same order (G14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from quanyu.dsl.keywords import BETWEEN_ENDS, find_chinese_words
from quanyu.dsl.parsing.lexer import tokenize


def translate_to_chinese(text: str) -> str:
    """The same tokens with Chinese keywords. `text` is canonical English, or a part of such a text."""
    tokens = list(tokenize(text))
    places = _places(tokens)
    written: list[str] = []
    at = 0
    for n, token in enumerate(tokens):
        start, end = token.start_pos or 0, token.end_pos or 0
        written += [text[at:start], _word(tokens, n, places) or text[start:end]]
        at = end
    return "".join([*written, text[at:]])


@dataclass(frozen=True)
class _Places:
    """By number of token: each `and` between the ends of a `between`, each `then` of what a test expects."""

    ends: set[int]
    expected: set[int]


def _places(tokens: Sequence[Token]) -> _Places:
    found = _Places(set(), set())
    open_between = [False]  # in each bracket that is open
    for n, token in enumerate(tokens):
        match token.type:
            case "LPAR" | "LSQB":
                open_between.append(False)
            case "RPAR" | "RSQB":
                open_between.pop()
            case "BETWEEN":
                open_between[-1] = True
            case "AND" if open_between[-1]:
                open_between[-1] = False
                found.ends.add(n)
            case "THEN" if len(open_between) == 1:  # the steps of a sequence stand in brackets
                found.expected.add(n)
    return found


def _word(tokens: Sequence[Token], n: int, places: _Places) -> str:
    """The Chinese keyword that the token is written as where it stands; empty if it is no keyword."""
    if n in places.ends:
        return BETWEEN_ENDS
    words = find_chinese_words(tokens[n])
    before, after = (tokens[at].type if 0 <= at < len(tokens) else "" for at in (n - 1, n + 1))
    is_second = {
        "IN": after == "LSQB",
        "LAST": after == "UNIT",
        "NEXT": after == "UNIT",
        "OF": before == "DIST",
        "THEN": n in places.expected,
    }
    return words[1] if is_second.get(tokens[n].type, False) else next(iter(words), "")
