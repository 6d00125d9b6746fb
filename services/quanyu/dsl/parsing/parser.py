"""Parses a text into a syntax tree with Lark (LALR, basic lexer) and grammar.lark."""

from __future__ import annotations

import functools
from typing import Any

from lark import Lark
from lark.exceptions import UnexpectedInput, VisitError

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import Reason, RuleError, attach_text
from quanyu.dsl.keywords import ChineseKeywords
from quanyu.dsl.parsing.builder import TreeBuilder
from quanyu.dsl.parsing.lexer import read_grammar, tokenize
from quanyu.dsl.syntax_errors.diagnosis import explain_syntax_error

MAX_TEXT = 100_000  # characters in one text
MAX_DEPTH = 100  # open brackets at one place


def parse(text: str) -> s.Script:
    """Parses the statements of a text. Raises RuleError (reason "syntax", "value" or "limit")."""
    with attach_text(text):
        statements: tuple[s.Statement, ...] = _parse(text, "start")
        return s.Script(statements, span=s.Span(1, 1, 0, len(text)))


def parse_condition(text: str) -> s.Cond:
    """Parses a condition without a statement around it (X3). Raises RuleError like `parse`."""
    with attach_text(text):
        cond: s.Cond = _parse(text, "cond")
        return cond


def start_interactive_parser(start: str) -> Any:
    """Returns Lark's interactive parser before the first token of a "start" (statements) or a "cond"."""
    return load_parser().parse_interactive("", start=start)


def is_condition(text: str) -> bool:
    """Tells whether the text begins like a condition instead of a statement."""
    try:
        first = next(tokenize(text), None)
    except UnexpectedInput:
        return False
    return first is not None and first.type not in ("USE", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST")


def _parse(text: str, start: str) -> Any:
    _check_limits(text)
    try:
        tree = load_parser().parse(text, start=start)
        built = TreeBuilder().transform(tree)
    except UnexpectedInput as error:
        raise explain_syntax_error(text, error, tokenize) from None
    except VisitError as error:
        raise _to_rule_error(error) from None
    return built


def _to_rule_error(error: VisitError) -> RuleError:
    """Returns the error of the tree builder. Python itself only fails on a number with too many digits."""
    if isinstance(error.orig_exc, RuleError):
        return error.orig_exc
    line, column = getattr(error.obj, "line", 1), getattr(error.obj, "column", 1)
    return RuleError("this number has too many digits: write a shorter one", line or 1, column or 1, "limit")


def _check_limits(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise RuleError(f"the text is longer than {MAX_TEXT} characters: split it", 1, 1, "limit")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "this is half a character: the text was cut or badly decoded"
        raise _error_at(text, error.start, message, "syntax") from None
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} brackets are inside each other: name parts of the rule"
            raise _error_at(text, at, message, "limit")


def _error_at(text: str, at: int, message: str, reason: Reason) -> RuleError:
    return RuleError(message, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), reason)


@functools.cache
def load_parser() -> Lark:
    """Builds the parser once for each process."""
    return Lark(
        read_grammar(),
        parser="lalr",
        lexer="basic",
        start=["start", "cond"],
        postlex=ChineseKeywords(),
        propagate_positions=True,
        maybe_placeholders=False,
    )
