"""The error of the rule language: its place, a message, and what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Literal

from quanyu.dsl.syntax import Span

Reason = Literal["syntax", "name", "type", "value", "time", "version", "cycle", "scope", "limit"]


# A long line is cut around the place of the error, so that it fits a terminal.
_MAX_BEFORE = 50
_MAX_AFTER = 60
# Messages and suggestions repeat parts of the text, so a hostile text must not make them arbitrarily long.
_MAX_LENGTH = 1_000


class RuleError(Exception):
    """A rule that cannot be parsed, checked or compiled.

    `line` and `column` count from 1. `suggestions` are texts to write instead, or the nearest names.
    `reason` is for programs. `str()` shows the line with a caret if `text` is known.
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
        self.message = message if len(message) <= _MAX_LENGTH else f"{message[:_MAX_LENGTH]}..."
        super().__init__(self.message)
        self.line = line
        self.column = column
        self.reason = reason
        self._suggestions = suggestions
        self.text = text

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        """Computes the suggestions at the first use, because many errors are caught and dropped."""
        found = self._suggestions() if callable(self._suggestions) else self._suggestions
        return tuple(offer for offer in found if len(offer) <= _MAX_LENGTH)

    @classmethod
    def at(cls, span: Span, reason: Reason, message: str, *suggestions: str) -> RuleError:
        """Returns an error at the beginning of a node."""
        return cls(message, span.line, span.column, reason, suggestions)

    def __str__(self) -> str:
        return format_error(self.text, self.line, self.column, self.message, self.suggestions)


def format_error(text: str, line: int, column: int, message: str, suggestions: Sequence[str]) -> str:
    """Returns lines with the message, the place in the text with a caret (if there is a text), and the suggestions."""
    lines = [f"line {line}, column {column}: {message}"]
    rows = text.split("\n")
    if text and line <= len(rows):
        before, after = _split_line(rows[line - 1], column - 1)
        lines += [f"  {before}{after}", f"  {_make_blank(before)}^"]
    return "\n".join([*lines, *(f"  write: {suggestion}" for suggestion in suggestions)])


def _split_line(row: str, at: int) -> tuple[str, str]:
    """Returns the parts of a line before and after the index `at`, cut if they are long."""
    before, after = row[:at], row[at:]
    if len(before) > _MAX_BEFORE:
        before = "..." + before[-_MAX_BEFORE:]
    if len(after) > _MAX_AFTER:
        after = after[:_MAX_AFTER] + "..."
    return before, after


def _make_blank(before: str) -> str:
    """Returns white space as wide as `before`, so that the caret is under its column after Chinese text too."""
    wide = {"W": "\u3000", "F": "\u3000"}
    return "".join("\t" if c == "\t" else wide.get(unicodedata.east_asian_width(c), " ") for c in before)


@contextmanager
def attach_text(text: str) -> Iterator[None]:
    """Attaches the text to errors that the block raises."""
    try:
        yield
    except RuleError as error:
        error.text = error.text or text
        raise
    except RecursionError:
        raise RuleError("the rule is nested too deeply: name parts of it", 1, 1, "limit", text=text) from None
