"""The grammar: no conflicts, no colliding terminals, and the keywords of docs/rules/semantics.md."""

from pathlib import Path

import pytest
from lark import Lark

import quanyu.dsl.parsing
from quanyu.dsl.keywords import CHINESE_KEYWORDS, RESERVED
from quanyu.dsl.parsing.lexer import tokenize
from quanyu.dsl.parsing.parser import load_parser

GRAMMAR = Path(quanyu.dsl.parsing.__file__).with_name("grammar.lark").read_text(encoding="utf-8")


def test_the_grammar_has_no_conflicts_and_no_colliding_terminals() -> None:
    pytest.importorskip("interegular", reason="Lark's strict mode needs it")
    Lark(GRAMMAR, parser="lalr", lexer="basic", strict=True, start=["start", "cond"])


def test_g10_every_keyword_of_the_grammar_is_reserved() -> None:
    literal = {t.pattern.value for t in load_parser().terminals if type(t.pattern).__name__ == "PatternStr"}
    assert {word for word in literal if word.isidentifier()} <= RESERVED


def test_g14_every_chinese_word_has_one_meaning() -> None:
    words = [word for words in CHINESE_KEYWORDS.values() for word in words]
    assert len(words) == len(set(words))
    for english, chinese in CHINESE_KEYWORDS.items():
        for word in chinese:
            (token,) = tokenize(word)
            assert token.type == "NAME" if english in ("true", "false") else token.type in _terminals()


def _terminals() -> set[str]:
    return {terminal.name for terminal in load_parser().terminals}
