"""Finds the values that contain the text that the user has typed."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from functools import lru_cache


def normalize(text: str) -> str:
    """Returns the form in which texts are compared: after NFKC and without case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def find_matches(values: tuple[str, ...], typed: str, most: int) -> tuple[list[str], list[str]]:
    """Returns the values that begin with the typed text, and the values that contain it, at most `most` in total.

    Keeps the order of the values. Leaves out values with a line break, because a rule cannot contain them.
    """
    if not typed:
        return list(itertools.islice((value for value in values if "\n" not in value), most)), []
    writable, lines = _join_lines(values)
    begins = list(itertools.islice(_find_lines(lines, f"\n{normalize(typed)}"), most))
    known = set(begins)
    contains = (line for line in _find_lines(lines, normalize(typed)) if line not in known)
    return [writable[n] for n in begins], [writable[n] for n in itertools.islice(contains, most - len(begins))]


@lru_cache(maxsize=4)
def _join_lines(values: tuple[str, ...]) -> tuple[list[str], str]:
    """Joins the values to one text: searching it is much faster than searching a hundred thousand texts."""
    writable = [value for value in values if "\n" not in value]
    return writable, f"\n{normalize(chr(10).join(writable))}\n"


def _find_lines(lines: str, part: str) -> Iterator[int]:
    """Yields the indexes of the lines that contain `part`, each once."""
    line, counted, at = -1, 0, lines.find(part)
    while at >= 0:
        first = at + part.startswith("\n")
        line += lines.count("\n", counted, first)
        counted = first
        yield line
        at = lines.find(part, lines.find("\n", first))
