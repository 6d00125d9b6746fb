"""Explains a syntax error: which syntax was expected, or which meanings an ambiguous text can have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from difflib import SequenceMatcher

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import RESERVED
from quanyu.dsl.syntax_errors.ambiguities import find_ambiguity
from quanyu.dsl.syntax_errors.foreign_syntax import find_foreign_syntax
from quanyu.dsl.syntax_errors.missing_parts import find_missing_part
from quanyu.dsl.syntax_errors.token_context import OPERATORS, STATEMENT_STARTS, TokenContext

_TERMINAL_NAMES = {
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
_CONTINUES_VALUE = ("DOT", "LSQB", "VERSION", *OPERATORS)
_LOOKALIKES = dict(zip("（）［］｛｝，；：。、＝＞＜％＋－＊／“”‘’", "()[]{},;:.,=><%+-*/\"\"''", strict=True))
_FOREIGN_SIGNS = {"&": "and", "|": "or", "!": "not or !="}
_MAX_EXPECTED = 8
_MIN_SIMILARITY = 0.8


def explain_syntax_error(text: str, error: UnexpectedInput, tokenize: Callable[[str], Iterator[Token]]) -> RuleError:
    """Returns the error of a text that does not parse.

    Looks for known mistakes first. If there are none, the error lists the syntax that the parser expects.
    """
    if isinstance(error, UnexpectedCharacters):
        return find_foreign_syntax(text, error.pos_in_stream or 0) or _explain_character(text, error)
    assert isinstance(error, UnexpectedToken)
    context = _find_context(text, error, tokenize)
    expected = sorted(error.accepts or error.expected) or ["$END"]
    place = len(text.rstrip()) if context.token is None else error.token.start_pos or 0
    with suppress(ValueError, ArithmeticError):  # a number of thousands of digits has no correction
        found = find_ambiguity(context) or _find_misspelling(context, expected, (2, 3))
        found = found or find_foreign_syntax(text, place)
        found = found or find_missing_part(context) or _find_misspelling(context, expected, (1,))
        if found is not None:
            return found
    return _explain_token(context, expected)


def _find_context(text: str, error: UnexpectedToken, tokenize: Callable[[str], Iterator[Token]]) -> TokenContext:
    tokens: list[Token] = []
    with suppress(UnexpectedCharacters):  # later in the text
        tokens.extend(tokenize(text))
    at = next((n for n, token in enumerate(tokens) if token.start_pos == error.token.start_pos), len(tokens))
    return TokenContext(text, tokens, len(tokens) if error.token.type == "$END" else at)


def _explain_character(text: str, error: UnexpectedCharacters) -> RuleError:
    char = text[error.pos_in_stream or 0]
    line, column = error.line, error.column
    if char in "'\"`":
        name = "backquotes" if char == "`" else "quotes"
        return RuleError(f"the {name} that open here do not close on this line", line, column, "syntax")
    if char in _LOOKALIKES:
        plain = _LOOKALIKES[char]
        rest = text[error.pos_in_stream or 0 :].partition("\n")[0]
        has_several = sum(other in _LOOKALIKES for other in rest) > 1
        offer = _replace_lookalikes(rest) if has_several else plain
        return RuleError(f"`{char}` is a full-width or curly sign: write `{plain}`", line, column, "syntax", [offer])
    offers = [_FOREIGN_SIGNS[char]] if char in _FOREIGN_SIGNS else []
    return RuleError(f"`{char}` has no meaning in a rule", line, column, "syntax", offers)


def _replace_lookalikes(rest: str) -> str:
    """Replaces full-width and curly signs outside quotes."""
    parts = re.split(r"('[^']*'|\"[^\"]*\")", rest)
    return "".join(part if n % 2 else "".join(_LOOKALIKES.get(c, c) for c in part) for n, part in enumerate(parts))


def _find_misspelling(context: TokenContext, expected: list[str], counts: Sequence[int]) -> RuleError | None:
    """Returns the error of a misspelled keyword that the parser expects here.

    `counts`: the numbers of words to compare with the keywords.
    """
    keywords = sorted(
        {
            _TERMINAL_NAMES.get(name, name.strip("_").replace("_", " ").lower())
            for name in expected
            if name.startswith("_") or name not in _TERMINAL_NAMES
        }
    )
    for count in counts:
        written = context.text_between(context.at, context.at + count)
        for keyword in keywords if _is_words(written) else ():
            if count in (1, keyword.count(" ") + 1) and _is_similar(written, keyword, count):
                return context.error(f"`{written}` is not a keyword: write `{keyword}`", keyword)
    return None


def _is_words(written: str) -> bool:
    return written.isascii() and written.islower() and written.replace(" ", "").isalpha()


def _is_similar(written: str, keyword: str, count: int) -> bool:
    """Compares letters; a single word is also compared with a keyword of several words."""
    keyword = keyword.replace(" ", "") if count == 1 else keyword
    ratio = SequenceMatcher(None, written, keyword).ratio()
    return ratio >= _MIN_SIMILARITY or sorted(written) == sorted(keyword)


def _explain_token(context: TokenContext, expected: list[str]) -> RuleError:
    if context.token is None:
        return context.error(f"the rule ends too early; expected {_list_expected(expected)}")
    word = context.text_of(context.token)
    if word in RESERVED and "NAME" in expected:
        message = f"`{word}` is a keyword: write a name in backquotes and a value in quotes (G10)"
        return context.error(message, f"`{word}`", f"'{word}'")
    if word != word.lower() and word.lower() in RESERVED:
        return context.error(f"write the keyword `{word}` in lower case (G18)", word.lower())
    return context.error(f"unexpected `{word}`; expected {_list_expected(expected)}")


def _list_expected(expected: list[str]) -> str:
    """Lists at most eight expected things: values, then keywords, then signs that continue a value.

    Names statements only if nothing else is expected.
    """
    useful = [name for name in expected if name not in (*STATEMENT_STARTS, "$END")] or expected
    ordered = sorted(useful, key=lambda name: (name in _CONTINUES_VALUE, name not in _TERMINAL_NAMES))
    names = list(dict.fromkeys(map(_name_terminal, ordered)))
    if len(names) > _MAX_EXPECTED:
        names = [*names[:_MAX_EXPECTED], "..."]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _name_terminal(terminal: str) -> str:
    if terminal in OPERATORS:
        return "+, -, * or /"
    return _TERMINAL_NAMES.get(terminal) or f"`{terminal.strip('_').replace('_', ' ').lower()}`"
