"""Rewrites a text in its canonical form, in either language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import check_and_bind
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.errors import RuleError, attach_text
from quanyu.dsl.explaining.aliases import translate_names, with_drafts
from quanyu.dsl.formatting.formatter import Language, format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Library
from quanyu.dsl.parsing.parser import is_condition, parse, parse_condition

# A quoted text, which may contain `#`, or a comment.
_QUOTED_OR_COMMENT = re.compile(r"""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|(?P<comment>\#[^\n]*)""", re.VERBOSE)


def format_text(text: str, catalog: Catalog, library: Library, language: Language = "en") -> str:
    """Returns one line for each statement, with names in the language as far as the catalog has them.

    Versions and unknown names stay as written. A comment inside, beside or above a statement moves to its own lines
    above the statement. Raises RuleError if the text does not parse.
    """
    with attach_text(text):
        if is_condition(text):
            nodes: tuple[s.Node, ...] = (parse_condition(text),)
            scope = Scope(catalog, library)
        else:
            nodes = parse(text).statements
            scope = Scope(catalog, with_drafts(nodes, catalog, library))
        written = _written(nodes, scope, language, language)
        meant = _meaning(text, catalog, library)
        if meant is not None and _meaning("\n".join(written), catalog, library) != meant:
            # An alias that equals a value beside it would be ambiguous (N1).
            written = _written(nodes, scope, language, "en")
    return "\n".join(_commented(text, nodes, written))


def _written(nodes: tuple[s.Node, ...], scope: Scope, language: Language, names: Language) -> list[str]:
    return [format_rule(translate_names(node, scope, names), language) for node in nodes]


def _meaning(text: str, catalog: Catalog, library: Library) -> tuple[s.Script | None, s.Cond | None] | None:
    """Returns the bound text, or None if the text has errors."""
    try:
        bound = check_and_bind(text, catalog, library)
    except RuleError:
        return None
    return bound.script, bound.condition


@dataclass(frozen=True)
class _Comment:
    line: int
    text: str


def _commented(text: str, nodes: tuple[s.Node, ...], lines: list[str]) -> Iterator[str]:
    comments = list(_comments(text))
    for node, line in zip(nodes, lines, strict=True):
        last = text.count("\n", 0, node.span.end) + 1
        while comments and comments[0].line <= last:
            yield comments.pop(0).text
        yield line
    yield from (comment.text for comment in comments)


def _comments(text: str) -> Iterator[_Comment]:
    for found in _QUOTED_OR_COMMENT.finditer(text):
        if found["comment"]:
            yield _Comment(text.count("\n", 0, found.start()) + 1, found["comment"].rstrip())
