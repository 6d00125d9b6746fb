"""Splits a text into the terminals of grammar.lark, with Chinese keywords."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path as FilePath

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters

from quanyu.dsl.keywords import ChineseKeywords


def tokenize(text: str) -> Iterator[Token]:
    """Yields the tokens of a text without white space and comments.

    Raises Lark's UnexpectedCharacters at the first character that begins no token.
    """
    return _lexer().lex(text)


def tokenize_prefix(text: str) -> Iterator[Token]:
    """Yields the tokens up to the first character that begins no token."""
    with suppress(UnexpectedCharacters):
        yield from tokenize(text)


def read_grammar() -> str:
    """Returns the text of grammar.lark."""
    return FilePath(__file__).with_name("grammar.lark").read_text(encoding="utf-8")


@functools.cache
def _lexer() -> Lark:
    return Lark(read_grammar(), parser=None, lexer="basic", start=["start", "cond"], postlex=ChineseKeywords())
