"""Converts between character offsets and the positions that editors use.

A position is a line and a number of code units in it (UTF-16, unless editor and server agree otherwise).
"""

from __future__ import annotations

import bisect
import re

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

_LINE_END = re.compile(r"\r\n|\n|\r")
_WORD = re.compile(r"\w+|.", re.DOTALL)


class Positions:
    """Converts between offsets and positions in one text."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self._text, self._units = text, codec.client_num_units
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]

    def offset(self, position: lsp.Position) -> int:
        """Returns the offset of a position; a position beyond its line or the text is at their end."""
        if position.line >= len(self._starts):
            return len(self._text)
        at, units = self._starts[position.line], 0
        while at < len(self._text) and self._text[at] not in "\r\n" and units < position.character:
            units += self._units(self._text[at])
            at += 1
        return at

    def position(self, offset: int) -> lsp.Position:
        line = bisect.bisect_right(self._starts, offset) - 1
        return lsp.Position(line, self._units(self._text[self._starts[line] : offset]))

    def range(self, start: int, end: int) -> lsp.Range:
        return lsp.Range(self.position(start), self.position(end))

    def word_range(self, line: int, column: int) -> lsp.Range:
        """Returns the range of the word at a line and column of a diagnostic, both counted from 1."""
        start = 0
        for _ in range(line - 1):
            start = self._text.index("\n", start) + 1
        start = min(start + column - 1, len(self._text))
        word = _WORD.match(self._text, start)
        return self.range(start, word.end() if word else start)
