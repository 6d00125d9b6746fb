"""Which of many texts hold what is half typed."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from functools import lru_cache


def normalize(text: str) -> str:
    """As what is typed is compared with names and values: after NFKC, whatever the case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def find_matches(values: tuple[str, ...], typed: str, most: int) -> tuple[list[str], list[str]]:
    """At most so many of the values, in order: those that begin with what is typed, then those that contain it.

    A value with a line break cannot be written in a rule, so it is left out.
    """
    if not typed:
        return list(itertools.islice((value for value in values if "\n" not in value), most)), []
    written, lines = _as_lines(values)
    begins = list(itertools.islice(_lines_with(lines, f"\n{normalize(typed)}"), most))
    known = set(begins)
    holds = (line for line in _lines_with(lines, normalize(typed)) if line not in known)
    return [written[n] for n in begins], [written[n] for n in itertools.islice(holds, most - len(begins))]


@lru_cache(maxsize=4)
def _as_lines(values: tuple[str, ...]) -> tuple[list[str], str]:
    """One text is looked through much sooner than a hundred thousand."""
    written = [value for value in values if "\n" not in value]
    return written, f"\n{normalize(chr(10).join(written))}\n"


def _lines_with(lines: str, part: str) -> Iterator[int]:
    """The numbers of the lines that hold a part, each once."""
    line, counted, at = -1, 0, lines.find(part)
    while at >= 0:
        first = at + part.startswith("\n")
        line += lines.count("\n", counted, first)
        counted = first
        yield line
        at = lines.find(part, lines.find("\n", first))
