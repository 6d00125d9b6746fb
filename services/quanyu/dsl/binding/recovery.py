"""Recovers the correct clauses of an incomplete text and reports the errors of the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lark import Token

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import check_and_bind
from quanyu.dsl.errors import RuleError
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library
from quanyu.dsl.parsing.lexer import tokenize_prefix

MAX_CLAUSES = 64  # that are checked one by one
_OPENS, _CLOSES = ("LPAR", "LSQB", "LBRACE"), ("RPAR", "RSQB", "RBRACE")
_STATEMENTS = ("USE", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST")


@dataclass(frozen=True)
class OmittedClause:
    """A clause that the recovery omits, with its position."""

    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Recovery:
    """The result of recovering a text.

    `bound` is the text without the omitted clauses, or None if no clause is correct. `errors` are in text order; a
    correct text has none.
    """

    bound: BoundRules | None
    omitted: tuple[OmittedClause, ...] = ()
    errors: tuple[RuleError, ...] = ()


def recover(text: str, catalog: Catalog, library: Library) -> Recovery:
    """Binds the correct clauses of a single condition or segment whose clauses are joined by `and` or `or`.

    Any other text is bound as a whole or not at all.
    """
    try:
        return Recovery(check_and_bind(text, catalog, library))
    except RuleError as error:
        chain = None if error.reason == "limit" else _chain(text)
        if chain is None:
            return Recovery(None, errors=(error,))
        return _without_wrong_clauses(text, chain, error, catalog, library)


@dataclass(frozen=True)
class _Chain:
    """The clauses of a text: `body` is the offset of the condition, `clauses` are the start and end of each clause."""

    body: int
    clauses: list[tuple[int, int]]
    joint: type[s.AllOf] | type[s.AnyOf]


def _without_wrong_clauses(text: str, chain: _Chain, whole: RuleError, catalog: Catalog, library: Library) -> Recovery:
    good: list[BoundRules] = []
    omitted: list[OmittedClause] = []
    errors: dict[tuple[int, int, str], RuleError] = {}
    for start, end in chain.clauses:
        alone = text[: chain.body] + _blank(text[chain.body : start]) + text[start:end]
        try:
            good.append(check_and_bind(alone, catalog, library))
        except RuleError as error:
            error.text = text
            errors[error.line, error.column, error.message] = error
            omitted.append(_omitted_clause(text, start, end))
    found = tuple(errors.values()) or (whole,)
    if not good:
        return Recovery(None, errors=found)
    return Recovery(_joined(text, good, chain.joint), tuple(omitted), found)


def _joined(text: str, good: Sequence[BoundRules], joint: type[s.AllOf] | type[s.AnyOf]) -> BoundRules:
    conditions = [_condition(bound) for bound in good]
    cond = conditions[0] if len(good) == 1 else joint(tuple(conditions), span=conditions[0].span)
    versions = tuple(sorted({version for bound in good for version in bound.versions}))
    script = good[0].script
    if script is None:
        return BoundRules(text, None, cond, versions)
    (segment,) = script.statements
    assert isinstance(segment, s.Segment)
    return BoundRules(text, replace(script, statements=(replace(segment, cond=cond),)), None, versions)


def _condition(bound: BoundRules) -> s.Cond:
    if bound.condition is not None:
        return bound.condition
    (segment,) = bound.statements
    assert isinstance(segment, s.Segment)
    return segment.cond


def _chain(text: str) -> _Chain | None:
    """Finds the clauses of the outermost chain by its tokens."""
    found = list(tokenize_prefix(text))
    head = 0
    if found and found[0].type == "SEGMENT":
        head = next((n for n, token in enumerate(found, 1) if token.type == "COLON"), len(found))
    rest = found[head:]
    if not rest or any(token.type in _STATEMENTS for token in rest):
        return None
    joints = _joints(rest)
    if len({token.type for token in joints}) > 1 or len(joints) >= MAX_CLAUSES:
        return None
    body = found[head - 1].end_pos or 0 if head else 0
    starts = [body, *(token.end_pos or 0 for token in joints)]
    ends = [*(token.start_pos or 0 for token in joints), len(text)]
    clauses = [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]
    return _Chain(body, clauses, s.AnyOf if joints and joints[0].type == "OR" else s.AllOf)


def _joints(found: Sequence[Token]) -> list[Token]:
    """Returns the tokens that join the outermost clauses, without the `and` of a `between`."""
    joints: list[Token] = []
    depth = betweens = 0
    for token in found:
        depth += (token.type in _OPENS) - (token.type in _CLOSES)
        if depth == 0:
            betweens += token.type == "BETWEEN"
            if token.type in ("AND", "OR"):
                if token.type == "AND" and betweens:
                    betweens -= 1
                else:
                    joints.append(token)
                    betweens = 0
    return joints


def _omitted_clause(text: str, start: int, end: int) -> OmittedClause:
    clause = text[start:end]
    at = start + len(clause) - len(clause.lstrip())
    return OmittedClause(clause.strip(), text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _blank(text: str) -> str:
    """Replaces the text by white space, so that the next clause keeps its position."""
    return re.sub(r"[^\n]", " ", text)
