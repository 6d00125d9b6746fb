"""Translates canonical English text into Chinese, token by token and in the same order (G14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from quanyu.dsl.keywords import BETWEEN_ENDS, find_chinese_words
from quanyu.dsl.parsing.lexer import tokenize


def translate_to_chinese(text: str) -> str:
    """Replaces the keywords of a canonical English text, or of a part of one, by Chinese keywords."""
    tokens = list(tokenize(text))
    roles = _find_roles(tokens)
    written: list[str] = []
    at = 0
    for n, token in enumerate(tokens):
        start, end = token.start_pos or 0, token.end_pos or 0
        written += [text[at:start], _translate_token(tokens, n, roles) or text[start:end]]
        at = end
    return "".join([*written, text[at:]])


@dataclass(frozen=True)
class _Roles:
    """Indexes of the tokens whose Chinese keyword depends on their role.

    `between_ends`: each `and` between the ends of a `between`. `expectations`: each `then` of a test.
    """

    between_ends: set[int]
    expectations: set[int]


def _find_roles(tokens: Sequence[Token]) -> _Roles:
    found = _Roles(set(), set())
    open_between = [False]  # one for each open bracket
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
                found.between_ends.add(n)
            case "THEN" if len(open_between) == 1:  # outside the brackets of a sequence
                found.expectations.add(n)
    return found


def _translate_token(tokens: Sequence[Token], n: int, roles: _Roles) -> str:
    """Returns the Chinese keyword for a token in its role; an empty string if it is not a keyword."""
    if n in roles.between_ends:
        return BETWEEN_ENDS
    words = find_chinese_words(tokens[n])
    before, after = (tokens[at].type if 0 <= at < len(tokens) else "" for at in (n - 1, n + 1))
    is_second = {
        "IN": after == "LSQB",
        "LAST": after == "UNIT",
        "NEXT": after == "UNIT",
        "OF": before == "DIST",
        "THEN": n in roles.expectations,
    }
    return words[1] if is_second.get(tokens[n].type, False) else next(iter(words), "")
