"""Syntax errors in a marketer's words: what was expected, and where a text has two readings, both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from difflib import SequenceMatcher

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import RESERVED
from quanyu.dsl.syntax_errors.ambiguities import Reader, find_ambiguity
from quanyu.dsl.syntax_errors.brackets import find_missing_part
from quanyu.dsl.syntax_errors.foreign_syntax import find_foreign_syntax

_WORDS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "PERCENT": "a percentage",
    "STRING": "a text in quotes",
    "DUR": "a duration such as 30d",
    "DATE": "a date such as 2026-01-31",
    "DATETIME": "a date with its time",
    "DIST": "a distance such as 3km",
    "MONTH": "a month such as 2026-11",
    "TIME": "a time such as 04:00",
    "UNIT": "day, week, month, quarter or year",
    "VERSION": "a version such as @2",
    "AGG": "an aggregate such as count(...)",
    "TILE": "quintile(...), decile(...) or percentile(...)",
    "CMP": "a comparison",
    "EQUAL": "a comparison",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": ",",
    "COLON": ":",
    "SEMICOLON": ";",
    "DOT": ".",
    "_FIRST_TIME": "for the first time",
    "_WAS_IN_SEGMENT": "was in segment",
    "_IN_SEGMENT": "in segment",
    "_ENTERED": "entered segment",
    "_LEFT": "left segment",
    "_ANNIVERSARY": "anniversary of",
    "$END": "the end of the rule",
}
_STATEMENTS = ("DEFINE", "METRIC", "SEGMENT", "TAG", "TEST", "USE")
_OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH")
_GOES_ON = ("DOT", "LSQB", "VERSION", *_OPERATORS)
_LOOKALIKES = dict(zip("（）［］｛｝，；：。、＝＞＜％＋－＊／“”‘’", "()[]{},;:.,=><%+-*/\"\"''", strict=True))
_SYMBOLS = {"&": "and", "|": "or", "!": "not or !="}


def explain_syntax_error(text: str, error: UnexpectedInput, lex: Callable[[str], Iterator[Token]]) -> RuleError:
    """The error of a text that does not parse: known confusions first, else what could have stood there."""
    if isinstance(error, UnexpectedCharacters):
        return find_foreign_syntax(text, error.pos_in_stream or 0) or _strange_character(text, error)
    assert isinstance(error, UnexpectedToken)
    tokens: list[Token] = []
    with suppress(UnexpectedCharacters):  # further on in the text
        tokens.extend(lex(text))
    at = next((n for n, token in enumerate(tokens) if token.start_pos == error.token.start_pos), len(tokens))
    if error.token.type == "$END":
        at = len(tokens)
    reader = Reader(text, tokens, at)
    expected = sorted(error.accepts or error.expected) or ["$END"]
    place = len(text.rstrip()) if reader.token is None else error.token.start_pos or 0
    with suppress(ValueError, ArithmeticError):  # numbers of thousands of digits have no near reading
        found = find_ambiguity(reader) or _misspelt(reader, expected, (2, 3)) or find_foreign_syntax(text, place)
        found = found or find_missing_part(reader) or _misspelt(reader, expected, (1,))
        if found is not None:
            return found
    return _unexpected(reader, expected)


def _strange_character(text: str, error: UnexpectedCharacters) -> RuleError:
    char = text[error.pos_in_stream or 0]
    line, column = error.line, error.column
    if char in "'\"`":
        name = "backquotes" if char == "`" else "quotes"
        return RuleError(f"the {name} that open here do not close on this line", line, column, "syntax")
    if char in _LOOKALIKES:
        plain = _LOOKALIKES[char]
        rest = text[error.pos_in_stream or 0 :].partition("\n")[0]
        several = sum(other in _LOOKALIKES for other in rest) > 1
        offer = _plain(rest) if several else plain
        return RuleError(f"`{char}` is a full-width or curly sign: write `{plain}`", line, column, "syntax", [offer])
    offers = [_SYMBOLS[char]] if char in _SYMBOLS else []
    return RuleError(f"`{char}` has no meaning in a rule", line, column, "syntax", offers)


def _plain(rest: str) -> str:
    """The rest of a line with plain signs, texts in quotes left as they are."""
    parts = re.split(r"('[^']*'|\"[^\"]*\")", rest)
    return "".join(part if n % 2 else "".join(_LOOKALIKES.get(c, c) for c in part) for n, part in enumerate(parts))


def _misspelt(reader: Reader, expected: list[str], counts: Sequence[int]) -> RuleError | None:
    """So many words that could stand here, but for a letter, an order of letters or a space."""
    words = {
        _WORDS.get(name, name.strip("_").replace("_", " ").lower())
        for name in expected
        if name.startswith("_") or name not in _WORDS
    }
    for count in counts:
        written = reader.between(reader.at, reader.at + count)
        for word in sorted(words) if _is_words(written) else ():
            if count in (1, word.count(" ") + 1) and _is_alike(written, word, count):
                return reader.error(f"`{written}` is written `{word}`", word)
    return None


def _is_words(written: str) -> bool:
    return written.isascii() and written.islower() and written.replace(" ", "").isalpha()


def _is_alike(written: str, word: str, count: int) -> bool:
    """One word may also be several without a space."""
    word = word.replace(" ", "") if count == 1 else word
    return SequenceMatcher(None, written, word).ratio() >= 0.8 or sorted(written) == sorted(word)


def _unexpected(reader: Reader, expected: list[str]) -> RuleError:
    if reader.token is None:
        message = f"the rule ends too early; expected {_spoken(expected)}"
        return reader.error(message)
    word = reader.source(reader.token)
    if word in RESERVED and "NAME" in expected:
        message = f"`{word}` is a word of the language: a name stands in backquotes, a value in quotes (G10)"
        return reader.error(message, f"`{word}`", f"'{word}'")
    if word != word.lower() and word.lower() in RESERVED:
        return reader.error(f"words of the language are in lower case: `{word}` (G18)", word.lower())
    return reader.error(f"`{word}` cannot stand here; expected {_spoken(expected)}")


def _spoken(expected: list[str]) -> str:
    """At most eight things: values before words, what goes on with a value last, statements if nothing else."""
    useful = [name for name in expected if name not in (*_STATEMENTS, "$END")] or expected
    names = sorted(useful, key=lambda name: (name in _GOES_ON, name not in _WORDS))
    spoken = list(dict.fromkeys(_spoken_one(name) for name in names))
    if len(spoken) > 8:
        spoken = [*spoken[:8], "..."]
    return spoken[0] if len(spoken) == 1 else f"{', '.join(spoken[:-1])} or {spoken[-1]}"


def _spoken_one(name: str) -> str:
    if name in _OPERATORS:
        return "+, -, * or /"
    return _WORDS.get(name) or f"`{name.strip('_').replace('_', ' ').lower()}`"
