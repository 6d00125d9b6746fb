"""Text to syntax tree: grammar.lark through Lark (lalr, basic lexer)."""

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

MAX_TEXT = 100_000  # characters of one text
MAX_DEPTH = 100  # brackets inside brackets


def parse(text: str) -> s.Script:
    """The statements of a text. Raises RuleError (reason "syntax", "value" or "limit")."""
    with attach_text(text):
        statements: tuple[s.Statement, ...] = _read(text, "start")
        return s.Script(statements, span=s.Span(1, 1, 0, len(text)))


def parse_condition(text: str) -> s.Cond:
    """A condition that stands alone (X3), as a preview takes it. Raises RuleError like `parse`."""
    with attach_text(text):
        cond: s.Cond = _read(text, "cond")
        return cond


def start_interactive_parser(start: str) -> Any:
    """Lark's interactive parser at the beginning of a "start" (statements) or a "cond"."""
    return load_parser().parse_interactive("", start=start)


def is_condition(text: str) -> bool:
    """Whether the text begins like a condition, not like a statement."""
    try:
        first = next(tokenize(text), None)
    except UnexpectedInput:
        return False
    return first is not None and first.type not in ("USE", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST")


def _read(text: str, start: str) -> Any:
    _refuse_excess(text)
    try:
        tree = load_parser().parse(text, start=start)
        built = TreeBuilder().transform(tree)
    except UnexpectedInput as error:
        raise explain_syntax_error(text, error, tokenize) from None
    except VisitError as error:
        raise _as_rule_error(error) from None
    return built


def _as_rule_error(error: VisitError) -> RuleError:
    """What the builder refuses; what is no number to Python has too many digits."""
    if isinstance(error.orig_exc, RuleError):
        return error.orig_exc
    line, column = getattr(error.obj, "line", 1), getattr(error.obj, "column", 1)
    return RuleError("a number has too many digits", line or 1, column or 1, "limit")


def _refuse_excess(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise RuleError(f"the text is longer than {MAX_TEXT} characters: split it", 1, 1, "limit")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _at(text, error.start, "this is half a character: the text was cut or badly decoded", "syntax") from None
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth > MAX_DEPTH:
            raise _at(text, at, f"more than {MAX_DEPTH} brackets inside each other", "limit")


def _at(text: str, at: int, message: str, reason: Reason) -> RuleError:
    return RuleError(message, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), reason)


@functools.cache
def load_parser() -> Lark:
    return Lark(
        read_grammar(),
        parser="lalr",
        lexer="basic",
        start=["start", "cond"],
        postlex=ChineseKeywords(),
        propagate_positions=True,
        maybe_placeholders=False,
    )
