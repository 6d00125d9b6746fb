"""Syntax errors in a marketer's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lark import Token
from lark.exceptions import UnexpectedInput

from quanyu.dsl.errors import RuleError


def explain_syntax(text: str, error: UnexpectedInput, lex: Callable[[str], Iterator[Token]]) -> RuleError:
    return RuleError(str(error), max(error.line, 1), max(error.column, 1), "syntax")
