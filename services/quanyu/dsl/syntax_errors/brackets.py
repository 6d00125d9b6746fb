"""Texts whose brackets do not close, whose clauses miss a part or a word between them."""

from __future__ import annotations

from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import RESERVED
from quanyu.dsl.syntax_errors.ambiguities import ENDS, STARTS, Reader

_JOINED = ("AND", "OR")
_CLOSING = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
_OPENED_BY = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}
_BEGINS = (
    "NAME",
    "AGG",
    "TILE",
    "DID",
    "_DID_NOT",
    "NOT",
    "_IN_SEGMENT",
    "_WAS_IN_SEGMENT",
    "_ENTERED",
    "_LEFT",
    "LPAR",
)
_VALUE_ENDS = (
    "NAME",
    "NUMBER",
    "PERCENT",
    "STRING",
    "DUR",
    "DATE",
    "DATETIME",
    "RSQB",
    "RPAR",
    "EVER",
    "UNIT",
    "TIMES",
)
_AFTER_A_CONDITION = ("", "RPAR", *ENDS, *_JOINED)


def find_missing_part(reader: Reader) -> RuleError | None:
    """The error of a text that is right but for its brackets, or for a part of a clause."""
    for known in (_missing_condition, _bare_truth, _unclosed, _too_many_closed, _not_joined, _upper_case):
        error = known(reader)
        if error is not None:
            return error
    return None


def _missing_condition(reader: Reader) -> RuleError | None:
    """`a and`, `a and and b`, `and a`"""
    joined, here = reader.kind(-1) in _JOINED, reader.kind() in _JOINED
    begins = reader.kind(-1) in ("", "LPAR", "COLON", "WHEN")
    if joined and reader.kind() in ("", "RPAR", *ENDS):
        start = reader.back(STARTS)
        message = f"a condition is missing after `{reader.word(-1)}`"
        return reader.error(message, reader.between(start, reader.at - 1), begin=start)
    if here and joined:
        return reader.error(f"a condition is missing between `{reader.word(-1)}` and `{reader.word()}`", "", offset=0)
    if here and begins:
        return reader.error(f"a condition is missing before `{reader.word()}`", "")
    return None


def _bare_truth(reader: Reader) -> RuleError | None:
    """A name alone: `vip`, `not vip`"""
    if reader.kind() not in _AFTER_A_CONDITION or reader.kind(-1) != "NAME":
        return None
    start = reader.at - 1
    while start >= 2 and reader.tokens[start - 1].type == "DOT":
        start -= 2
    if start > 0 and reader.tokens[start - 1].type not in ("AND", "OR", "NOT", "LPAR", "COLON", "WHEN"):
        return None
    name = reader.between(start, reader.at)
    message = f"`{name}` is compared with nothing: what of it?"
    return reader.error(message, f"{name} = true", f"{name} is known", begin=start)


def _unclosed(reader: Reader) -> RuleError | None:
    if reader.kind() not in ("", *ENDS):
        return None
    opened: list[int] = []
    for n, token in enumerate(reader.tokens[: reader.at]):
        if token.type in _CLOSING:
            opened.append(n)
        elif token.type in _OPENED_BY and opened:
            opened.pop()
    if not opened:
        return None
    first = opened[-1]
    bracket = reader.word(first - reader.at)
    whole = reader.between(first, reader.at)
    message = f"the `{bracket}` that opens here is not closed"
    return reader.error(message, whole + _CLOSING[reader.tokens[first].type], begin=first)


def _too_many_closed(reader: Reader) -> RuleError | None:
    kind = reader.kind()
    if kind not in _OPENED_BY:
        return None
    depth = 0
    for token in reader.tokens[: reader.at]:
        depth += (token.type == _OPENED_BY[kind]) - (token.type == kind)
    return reader.error(f"no `{reader.word()}` is open here", "") if depth <= 0 else None


def _not_joined(reader: Reader) -> RuleError | None:
    """Two conditions side by side."""
    if reader.kind() not in _BEGINS or reader.kind(-1) not in _VALUE_ENDS:
        return None
    if reader.word() in RESERVED and reader.kind() == "NAME":
        return None
    if not _is_condition_before(reader) or reader.kind(1) not in _FOLLOWS.get(reader.kind(), (reader.kind(1),)):
        return None
    word = reader.word()
    message = "two conditions side by side are joined by `and` or `or`"
    return reader.error(message, f"and {word}", f"or {word}")


_FOLLOWS = {"NAME": ("EQUAL", "CMP", "IN", "BETWEEN", "DOT", "CONTAINS", "_HAS_ANY", "_IS_KNOWN", "_IS_UNKNOWN")}


def _is_condition_before(reader: Reader) -> bool:
    """Whether something was compared, asked or done since the clause began."""
    start = reader.back((*_JOINED, "COLON", "WHEN"))
    kinds = {token.type for token in reader.tokens[start : reader.at]}
    return bool(kinds & {"EQUAL", "CMP", "IN", "BETWEEN", "DID", "_DID_NOT", "_IN_SEGMENT", "CONTAINS", "_HAS_ANY"})


def _upper_case(reader: Reader) -> RuleError | None:
    """G18, of the word before the wrong place: it was read as a name."""
    word = reader.word(-1)
    if reader.kind(-1) == "NAME" and word != word.lower() and word.lower() in RESERVED:
        return reader.error(f"words of the language are in lower case: `{word}` (G18)", word.lower(), offset=-1)
    return None
