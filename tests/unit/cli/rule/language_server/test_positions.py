"""Positions of editors against Python's own encoders."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from quanyu.cli.rule.language_server.positions import Positions

TEXTS = st.text(st.sampled_from("ab 城市😀é\u2028\x0b\n\r'"), max_size=30)
UNITS = {
    lsp.PositionEncodingKind.Utf8: lambda text: len(text.encode()),
    lsp.PositionEncodingKind.Utf16: lambda text: len(text.encode("utf-16-le")) // 2,
    lsp.PositionEncodingKind.Utf32: len,
}


@given(TEXTS, st.data(), st.sampled_from(list(UNITS)))
def test_a_position_is_lines_and_code_units_before_it(text: str, data: st.DataObject, encoding: str) -> None:
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        return  # no place between them
    *lines, last = re.split("\r\n|\r|\n", text[:offset])
    positions = Positions(text, PositionCodec(encoding))
    position = positions.position(offset)
    assert position == lsp.Position(len(lines), UNITS[encoding](last))
    assert positions.offset(position) == offset


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_a_position_that_is_none_is_the_end_of_its_line_or_of_the_text(text: str, line: int, character: int) -> None:
    offset = Positions(text, PositionCodec()).offset(lsp.Position(line, character))
    lines = re.split("\r\n|\r|\n", text)
    assert 0 <= offset <= len(text)
    if line >= len(lines):
        assert offset == len(text)
    elif character >= 2 * len(lines[line]):
        assert text[offset : offset + 1] in ("", "\r", "\n")


@pytest.mark.parametrize(
    ("line", "column", "start", "end"),
    [
        (1, 1, (0, 0), (0, 2)),
        (1, 5, (0, 5), (0, 8)),  # behind an emoji, which is two units
        (1, 3, (0, 2), (0, 4)),
        (2, 1, (1, 0), (1, 2)),
        (2, 3, (1, 2), (1, 2)),  # the end of the text
    ],
)
def test_a_diagnostic_is_about_the_word_at_its_place(
    line: int, column: int, start: tuple[int, int], end: tuple[int, int]
) -> None:
    positions = Positions("城市😀 lev\n没有", PositionCodec())
    found = positions.word_range(line, column)
    assert (found.start, found.end) == (lsp.Position(*start), lsp.Position(*end))
