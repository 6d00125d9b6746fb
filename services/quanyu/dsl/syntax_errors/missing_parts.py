"""Finds texts with an unclosed bracket, an incomplete condition or a missing connective."""

from __future__ import annotations

from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import RESERVED
from quanyu.dsl.syntax_errors.token_context import CONDITION_ENDS, CONDITION_STARTS, CONNECTIVES, TokenContext

_CLOSING = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
_OPENED_BY = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}
_BEFORE_CONDITION = ("LPAR", "COLON", "WHEN")
_CONDITION_FIRST = (
    "NAME", "AGG", "TILE", "DID", "_DID_NOT", "NOT", "_IN_SEGMENT", "_WAS_IN_SEGMENT", "_ENTERED", "_LEFT", "LPAR",
)  # fmt: skip
_CONDITION_LAST = (
    "NAME", "NUMBER", "PERCENT", "STRING", "DUR", "DATE", "DATETIME", "RSQB", "RPAR", "EVER", "UNIT", "TIMES",
)  # fmt: skip
_TESTS = {"EQUAL", "CMP", "IN", "BETWEEN", "DID", "_DID_NOT", "_IN_SEGMENT", "CONTAINS", "_HAS_ANY"}
_AFTER_NAME = ("EQUAL", "CMP", "IN", "BETWEEN", "DOT", "CONTAINS", "_HAS_ANY", "_IS_KNOWN", "_IS_UNKNOWN")


def find_missing_part(context: TokenContext) -> RuleError | None:
    """Returns the error of the first check that recognizes the text; None if no check does."""
    return next((error for check in _CHECKS if (error := check(context)) is not None), None)


def _check_missing_condition(context: TokenContext) -> RuleError | None:
    """`a and`, `a and and b`, `and a`"""
    is_after_connective, is_connective = context.kind(-1) in CONNECTIVES, context.kind() in CONNECTIVES
    if is_after_connective and context.kind() in ("", "RPAR", *CONDITION_ENDS):
        start = context.find_start(CONDITION_STARTS)
        message = f"a condition is missing after `{context.word(-1)}`"
        return context.error(message, context.text_between(start, context.at - 1), begin=start)
    if is_connective and is_after_connective:
        message = f"a condition is missing between `{context.word(-1)}` and `{context.word()}`"
        return context.error(message, "", offset=0)
    if is_connective and context.kind(-1) in ("", *_BEFORE_CONDITION):
        return context.error(f"a condition is missing before `{context.word()}`", "")
    return None


def _check_bare_name(context: TokenContext) -> RuleError | None:
    """`vip`, `not vip`"""
    if context.kind() not in ("", "RPAR", *CONDITION_ENDS, *CONNECTIVES) or context.kind(-1) != "NAME":
        return None
    start = context.at - 1
    while start >= 2 and context.tokens[start - 1].type == "DOT":
        start -= 2
    if start > 0 and context.tokens[start - 1].type not in (*CONNECTIVES, "NOT", *_BEFORE_CONDITION):
        return None
    name = context.text_between(start, context.at)
    message = f"`{name}` alone is not a condition: compare it, or ask whether it is known"
    return context.error(message, f"{name} = true", f"{name} is known", begin=start)


def _check_unclosed_bracket(context: TokenContext) -> RuleError | None:
    if context.kind() not in ("", *CONDITION_ENDS):
        return None
    opened: list[int] = []
    for n, token in enumerate(context.tokens[: context.at]):
        if token.type in _CLOSING:
            opened.append(n)
        elif token.type in _OPENED_BY and opened:
            opened.pop()
    if not opened:
        return None
    first = opened[-1]
    bracket = context.tokens[first]
    whole = context.text_between(first, context.at)
    message = f"the `{context.text_of(bracket)}` that opens here is not closed"
    return context.error(message, whole + _CLOSING[bracket.type], begin=first)


def _check_unopened_bracket(context: TokenContext) -> RuleError | None:
    kind = context.kind()
    if kind not in _OPENED_BY:
        return None
    depth = 0
    for token in context.tokens[: context.at]:
        depth += (token.type == _OPENED_BY[kind]) - (token.type == kind)
    message = f"remove this `{context.word()}`: no bracket is open here"
    return context.error(message, "") if depth <= 0 else None


def _check_missing_connective(context: TokenContext) -> RuleError | None:
    """`city = 'x' level = 'y'`"""
    if context.kind() not in _CONDITION_FIRST or context.kind(-1) not in _CONDITION_LAST:
        return None
    if context.word() in RESERVED and context.kind() == "NAME":
        return None
    if context.kind() == "NAME" and context.kind(1) not in _AFTER_NAME:
        return None
    if not _is_condition_before(context):
        return None
    word = context.word()
    return context.error("join two conditions with `and` or `or`", f"and {word}", f"or {word}")


def _is_condition_before(context: TokenContext) -> bool:
    """Tells whether the clause before the unexpected token contains a test."""
    start = context.find_start((*CONNECTIVES, "COLON", "WHEN"))
    return not _TESTS.isdisjoint(token.type for token in context.tokens[start : context.at])


def _check_upper_case(context: TokenContext) -> RuleError | None:
    """A keyword in capitals before the unexpected token: the lexer reads it as a name (G18)."""
    word = context.word(-1)
    if context.kind(-1) == "NAME" and word != word.lower() and word.lower() in RESERVED:
        return context.error(f"write the keyword `{word}` in lower case (G18)", word.lower(), offset=-1)
    return None


# The first check that recognizes the text decides, so the order matters.
_CHECKS = (
    _check_missing_condition,
    _check_bare_name,
    _check_unclosed_bracket,
    _check_unopened_bracket,
    _check_missing_connective,
    _check_upper_case,
)
