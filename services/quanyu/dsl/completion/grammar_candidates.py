"""Candidates that the grammar alone allows at a cursor: keywords, signs, example values, windows and settings."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from quanyu.dsl.completion.cursor import MAX_KEYWORD_WORDS, Cursor
from quanyu.dsl.formatting.chinese import translate_to_chinese
from quanyu.dsl.keywords import BETWEEN_ENDS, CHINESE_KEYWORDS, KEYWORDS_BY_TERMINAL
from quanyu.dsl.model.types import Type
from quanyu.dsl.parsing.lexer import tokenize

CompletionKind = Literal[
    "keyword", "sign", "window", "setting", "attribute", "built_in", "event", "definition", "metric", "tag", "segment",
    "recency", "property", "value", "channel", "version", "person", "number", "percent", "text", "duration", "date",
    "distance", "month", "time",
]  # fmt: skip


@dataclass(frozen=True)
class Completion:
    """A suggestion: `text` replaces the typed word. `people` is the number of people with the value, if known."""

    text: str
    label: str
    kind: CompletionKind
    detail: str = ""
    people: int | None = None


# The order of candidates that match equally well.
VALUES, SPECIFIC, KEYWORDS, NAMES, SIGNS, EXAMPLES = range(6)


class Candidate(NamedTuple):
    """A possible completion. It matches if the typed word is a part of one of `names`; `make_item` then makes it."""

    names: tuple[str, ...]
    order: int
    make_item: Callable[[], Completion]


def make_candidate(item: Completion, order: int, *names: str) -> Candidate:
    """Returns the candidate of a completion. Without names, its text is its name."""
    return Candidate(names or (item.text,), order, lambda: item)


_SIGNS = {
    "EQUAL": ("=",), "CMP": (">=", "<=", "!=", ">", "<"), "PLUS": ("+",), "MINUS": ("-",), "STAR": ("*",),
    "SLASH": ("/",), "LPAR": ("(",), "RPAR": (")",), "LSQB": ("[",), "RSQB": ("]",), "LBRACE": ("{",),
    "RBRACE": ("}",), "COMMA": (",",), "COLON": (":",), "SEMICOLON": (";",), "DOT": (".",),
}  # fmt: skip
_EXAMPLES: dict[str, tuple[CompletionKind, Type, tuple[str, ...]]] = {
    "NUMBER": ("number", Type("number", literal=True), ("1",)),
    "PERCENT": ("percent", Type("number", literal=True), ("10%",)),
    "STRING": ("text", Type("text", literal=True), ("''",)),
    "DUR": ("duration", Type("duration", literal=True), ("7d", "30d", "90d", "2h", "15min", "1w")),
    "DATE": ("date", Type("date", literal=True), ("2026-01-31",)),
    "DATETIME": ("date", Type("instant", literal=True), ("2026-01-31 10:00",)),
    "DIST": ("distance", Type("any"), ("3km", "500m")),
    "MONTH": ("month", Type("any"), ("2026-01",)),
    "TIME": ("time", Type("any"), ("04:00",)),
}
_WINDOWS = (
    "in last 7d",
    "in last 30d",
    "in last 90d",
    "in last 1 calendar month",
    "in this month",
    "in next 7d",
    "in next 7 calendar days",
    "between 7d and 30d ago",
    "in at least 3 of last 4 calendar weeks",
)
_SETTINGS = ("timezone", "day starts", "week starts", "leap day")


def list_keywords(cursor: Cursor) -> Iterator[Candidate]:
    """Yields the keywords that the parser accepts, and the rest of keywords whose first words are before the cursor."""
    for words in range(MAX_KEYWORD_WORDS):
        phrase = cursor.phrase(words)
        accepted = cursor.accepts(words)
        for terminal, known in KEYWORDS_BY_TERMINAL.items():
            if terminal not in accepted or terminal == "NAME":
                continue
            for english in known:
                if words == 0:
                    yield from _complete_keyword(terminal, english, cursor)
                elif english.startswith(phrase):
                    rest = english.removeprefix(phrase)
                    yield make_candidate(Completion(rest, english, "keyword"), KEYWORDS)


def _complete_keyword(terminal: str, english: str, cursor: Cursor) -> Iterator[Candidate]:
    chinese = (BETWEEN_ENDS,) if english == "and" and cursor.is_in_between else CHINESE_KEYWORDS[english]
    opens = "(" if terminal in ("AGG", "TILE") else ""
    if terminal == "UNIT" and cursor.is_after_plural_number:
        english += "s"
    if not cursor.is_chinese:
        yield make_candidate(
            Completion(english + opens, english, "keyword", " ".join(chinese)), KEYWORDS, english, *chinese
        )
        return
    for word in chinese:
        yield make_candidate(Completion(word + opens, word, "keyword", english), KEYWORDS, english, word)


def list_booleans(cursor: Cursor) -> Iterator[Candidate]:
    for english in ("true", "false"):
        written = CHINESE_KEYWORDS[english][0] if cursor.is_chinese else english
        yield make_candidate(Completion(written, english, "value"), VALUES, english, *CHINESE_KEYWORDS[english])


def list_signs(cursor: Cursor) -> Iterator[Candidate]:
    accepted = cursor.accepts()
    for terminal, texts in _SIGNS.items():
        if terminal in accepted:
            yield from (make_candidate(Completion(text, text, "sign"), SIGNS) for text in texts)


def list_examples(cursor: Cursor, fits: Callable[[Type], bool]) -> Iterator[Candidate]:
    """Yields example literals of a fitting type; numbers keep the typed digits."""
    accepted = cursor.accepts()
    digits = re.match(r"\d+", cursor.typed)
    for terminal, (kind, of_type, texts) in _EXAMPLES.items():
        if terminal not in accepted or not (of_type.kind == "any" or fits(of_type)):
            continue
        if digits and kind in ("number", "percent", "duration", "distance"):
            texts = tuple(dict.fromkeys(re.sub(r"^\d+", digits.group(), text) for text in texts))
        yield from (
            make_candidate(Completion(text, text, kind), EXAMPLES) for text in texts if cursor.keeps_tokens(text)
        )


def list_windows(cursor: Cursor, fits: Callable[[bool], bool]) -> Iterator[Candidate]:
    """Yields common windows. `fits` takes whether a window consists of whole days, and tells whether it fits."""
    for english, terminals in _tokenize_windows():
        if not fits("calendar" in english or "this" in english):
            continue
        text = translate_to_chinese(english) if cursor.is_chinese else english
        for words in range(2):
            phrase = cursor.phrase(words)
            if text.startswith(phrase) and bool(phrase) == bool(words) and cursor.accepts_all(terminals[words:]):
                rest = text.removeprefix(phrase)
                yield make_candidate(Completion(rest, text, "window"), SPECIFIC)


@functools.cache
def _tokenize_windows() -> list[tuple[str, list[str]]]:
    return [(text, [token.type for token in tokenize(text)]) for text in _WINDOWS]


def list_settings(cursor: Cursor) -> Iterator[Candidate]:
    """Yields the next word of each setting that the words after `use` begin."""
    if not cursor.kinds or cursor.kinds[0] != "USE":
        return
    written = [str(token) for token in cursor.tokens[1:]]
    for setting in _SETTINGS:
        words = setting.split()
        if words[: len(written)] == written and len(words) > len(written):
            word = words[len(written)]
            yield make_candidate(Completion(word, setting, "setting"), SPECIFIC)
