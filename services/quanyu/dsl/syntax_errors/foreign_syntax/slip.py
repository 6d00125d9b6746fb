"""A slip: what people write from the habit of another language, and what to write here instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Match = re.Match[str]
Meant = str | Callable[[Match], Sequence[str]]

# So much of a text around its wrong place is looked at, so that a long one costs no more.
_AROUND = 300

_PARTS = {
    "value": r"(?:'[^'\n]*'|\"[^\"\n]*\"|-?\d+(?:\.\d+)?%?|[^\W\d]\w*(?:\.\w+)*)",
    "text": r"(?:'[^'\n]*'|\"[^\"\n]*\")",
    "path": r"[^\W\d]\w*(?:\.\w+)*",
    "name": r"[^\W\d]\w*(?:@\d+)?",
    "number": r"\d{1,15}(?:\.\d{1,6})?",
    "count": r"\d{1,9}",
    "duration": r"\d{1,9}(?:min|h|d|w)\b",
    "date": r"\d{4}-\d{2}-\d{2}",
    "cmp": r"(?:>=|<=|!=|=|>|<)",
    "unit": r"(?:day|week|month|quarter|year)s?\b",
    "times": r"(?:at least|at most|exactly)\s+\d{1,9}\s+times\b",
    "window": r"(?:ever\b|today\b|yesterday\b|in\s+last\s+\d{1,9}\s+calendar\s+\w+|in\s+(?:last|this)\s+\w+"
    r"|in\s+\d{4}-\d{2}"
    r"|(?:since|before|on)\s+\d{4}-\d{2}-\d{2}|between\s+\S+\s+and\s+\S+(?:\s+ago\b)?)",
    "fn": r"(?:count|sum|avg|min|max|median|distinct|days|earliest|latest|most)",
}  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """`written` holds the wrong place, where it has a group `at` that one begins there. `meant` replaces all of it."""

    written: re.Pattern[str]
    says: str
    meant: tuple[Meant, ...]

    def offers(self, found: Match) -> list[str]:
        return [offer for meant in self.meant for offer in _offers(meant, found)]


def compile_patterns(*rows: tuple[Any, ...]) -> tuple[Slip, ...]:
    """Of rows (pattern, what the error says, what was meant ...); in a pattern <date> stands for any date."""
    return tuple(Slip(_pattern(pattern), says, tuple(meant)) for pattern, says, *meant in rows)


def match_patterns(text: str, at: int, known: Sequence[Slip]) -> Iterator[tuple[Slip, Match]]:
    """The compile_patterns whose writing holds a place of the text."""
    start, end = max(0, at - _AROUND), at + _AROUND
    for slip in known:
        for found in slip.written.finditer(text, start, end):
            if found.start() <= at <= found.end() and _begins(found, at):
                yield slip, found


def _begins(found: Match, at: int) -> bool:
    return found.re.groupindex.get("at") is None or found.start("at") in (at, -1)


def _offers(meant: Meant, found: Match) -> Sequence[str]:
    return [found.expand(meant)] if isinstance(meant, str) else meant(found)


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?<!\?P)<(\w+)>", lambda part: _PARTS[part[1]], pattern), re.MULTILINE)
