"""The warnings of the linter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.formatter import format_rule

Code = Literal[
    "NEVER_TRUE",
    "ALWAYS_TRUE",
    "NEVER_FALSE",
    "REDUNDANT_CLAUSE",
    "DUPLICATE_CLAUSE",
    "UNREACHABLE_BRANCH",
    "UNREACHABLE_TIER",
    "UNREACHABLE_ELSE",
    "ELSE_TAKES_UNKNOWN",
    "NOT_LEAVES_OUT_UNKNOWN",
    "DENIED_SEGMENT_TAKES_UNKNOWN",
    "NOTHING_UNKNOWN",
    "NOT_THE_FIRST_TIME",
    "PERSON_IN_WHERE",
    "EMPTY_WINDOW",
    "UNDECLARED_VALUE",
]
MAX_FINDINGS = 200  # per text
_SHOWN = 80


@dataclass(frozen=True)
class Finding:
    """A warning. It does not prevent publishing. `code` is stable, `line` and `column` count from 1.

    `suggestions` are conditions, or for a tag statements, to write instead of what is found.
    """

    code: Code
    message: str
    line: int
    column: int
    suggestions: tuple[str, ...] = ()


class Findings:
    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def add(self, code: Code, at: s.Node, message: str, *suggestions: str) -> None:
        self._found[Finding(code, message, at.span.line, at.span.column, suggestions)] = None

    def in_text_order(self) -> list[Finding]:
        """Returns the first MAX_FINDINGS findings in the order of the text."""
        return sorted(self._found, key=lambda finding: (finding.line, finding.column))[:MAX_FINDINGS]

    def __len__(self) -> int:
        return len(self._found)


def quote(node: s.Node) -> str:
    """Returns the text of the node in backquotes, shortened if it is long."""
    text = format_rule(node)
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}`"


def join_words(nodes: list[str]) -> str:
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} and {nodes[-1]}"
