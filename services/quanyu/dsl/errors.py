"""The one error of the rule language: where, what, and what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Literal

from quanyu.dsl.syntax import Span

Reason = Literal["syntax", "name", "type", "value", "time", "version", "cycle", "scope", "limit"]


# Of a long line, as much is shown around the place as fits a terminal.
_SHOWN_BEFORE = 50
_SHOWN_AFTER = 60
# A message quotes what stands in the text, an offer writes it again: of a hostile one not without end.
_LONGEST = 1_000


class RuleError(Exception):
    """A rule that cannot be read, checked or compiled.

    `line` and `column` count from 1; `suggestions` are texts to write instead, or nearest names;
    `reason` is for machines. `str()` shows the line with a caret, if `text` is known.
    """

    def __init__(
        self,
        message: str,
        line: int,
        column: int,
        reason: Reason,
        suggestions: Sequence[str] | Callable[[], Sequence[str]] = (),
        text: str = "",
    ) -> None:
        self.message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."
        super().__init__(self.message)
        self.line = line
        self.column = column
        self.reason = reason
        self._suggestions = suggestions
        self.text = text

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        """Looked for when they are wanted: whether a word names anything is asked of words that need not."""
        found = self._suggestions() if callable(self._suggestions) else self._suggestions
        return tuple(offer for offer in found if len(offer) <= _LONGEST)

    @classmethod
    def at(cls, span: Span, reason: Reason, message: str, *suggestions: str) -> RuleError:
        return cls(message, span.line, span.column, reason, suggestions)

    def __str__(self) -> str:
        return format_error(self.text, self.line, self.column, self.message, self.suggestions)


def format_error(text: str, line: int, column: int, message: str, suggestions: Sequence[str]) -> str:
    """Lines that say what is wrong, show where with a caret if there is a text, and offer what to write."""
    lines = [f"line {line}, column {column}: {message}"]
    rows = text.split("\n")
    if text and line <= len(rows):
        before, after = _around(rows[line - 1], column - 1)
        lines += [f"  {before}{after}", f"  {_blank(before)}^"]
    return "\n".join([*lines, *(f"  write: {suggestion}" for suggestion in suggestions)])


def _around(row: str, at: int) -> tuple[str, str]:
    """What stands before and after a place in its line, cut where that is long."""
    before, after = row[:at], row[at:]
    if len(before) > _SHOWN_BEFORE:
        before = "..." + before[-_SHOWN_BEFORE:]
    if len(after) > _SHOWN_AFTER:
        after = after[:_SHOWN_AFTER] + "..."
    return before, after


def _blank(before: str) -> str:
    """White space as wide as `before`, so that the caret stands under its column after Chinese text too."""
    wide = {"W": "\u3000", "F": "\u3000"}
    return "".join("\t" if c == "\t" else wide.get(unicodedata.east_asian_width(c), " ") for c in before)


@contextmanager
def attach_text(text: str) -> Iterator[None]:
    """Gives errors raised inside the text that they are about."""
    try:
        yield
    except RuleError as error:
        error.text = error.text or text
        raise
    except RecursionError:
        raise RuleError("the rule is nested too deeply: name parts of it", 1, 1, "limit", text=text) from None
