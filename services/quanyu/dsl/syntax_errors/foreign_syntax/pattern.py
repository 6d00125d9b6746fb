"""A pattern of foreign syntax: text in the habit of another language, and its replacements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Match = re.Match[str]
Replacement = str | Callable[[Match], Sequence[str]]

# Patterns see only this many characters on each side of the error, so that a long text costs no more than a short one.
_RADIUS = 300

_PLACEHOLDERS = {
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
class ForeignPattern:
    """A regular expression that contains the error, the message, and the replacements of the matched text.

    If the expression has a group `at`, the error must be at the beginning of that group.
    """

    regex: re.Pattern[str]
    message: str
    replacements: tuple[Replacement, ...]

    def list_offers(self, found: Match) -> list[str]:
        """Returns the texts that can replace the matched text."""
        return [offer for replacement in self.replacements for offer in _expand(replacement, found)]


def compile_patterns(*rows: tuple[Any, ...]) -> tuple[ForeignPattern, ...]:
    """Builds patterns from rows (expression, message, replacement, ...).

    An expression can use the placeholders of this module: <date> matches any date.
    """
    return tuple(ForeignPattern(_compile(regex), message, tuple(rest)) for regex, message, *rest in rows)


def match_patterns(text: str, at: int, patterns: Sequence[ForeignPattern]) -> Iterator[tuple[ForeignPattern, Match]]:
    """Yields the patterns with a match that contains the position `at`, in the order of the patterns."""
    start, end = max(0, at - _RADIUS), at + _RADIUS
    for pattern in patterns:
        for found in pattern.regex.finditer(text, start, end):
            if found.start() <= at <= found.end() and _is_error_at(found, at):
                yield pattern, found


def _is_error_at(found: Match, at: int) -> bool:
    return found.re.groupindex.get("at") is None or found.start("at") in (at, -1)


def _expand(replacement: Replacement, found: Match) -> Sequence[str]:
    return [found.expand(replacement)] if isinstance(replacement, str) else replacement(found)


def _compile(regex: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?<!\?P)<(\w+)>", lambda part: _PLACEHOLDERS[part[1]], regex), re.MULTILINE)
