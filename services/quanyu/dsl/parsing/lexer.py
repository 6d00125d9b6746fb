"""Text to tokens: the terminals of grammar.lark, Chinese keywords among them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path as FilePath

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters

from quanyu.dsl.keywords import ChineseKeywords


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of a text, white space and comments left out. Lark's UnexpectedCharacters where there is none."""
    return _lexer().lex(text)


def tokenize_prefix(text: str) -> Iterator[Token]:
    """The tokens up to where there is none."""
    with suppress(UnexpectedCharacters):
        yield from tokenize(text)


def read_grammar() -> str:
    return FilePath(__file__).with_name("grammar.lark").read_text(encoding="utf-8")


@functools.cache
def _lexer() -> Lark:
    return Lark(read_grammar(), parser=None, lexer="basic", start=["start", "cond"], postlex=ChineseKeywords())
