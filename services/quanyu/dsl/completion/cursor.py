"""The cursor in a text that may be incomplete: the word at the cursor, and the parser state before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from quanyu.dsl.errors import RuleError
from quanyu.dsl.parsing.builder import TreeBuilder
from quanyu.dsl.parsing.lexer import tokenize, tokenize_prefix
from quanyu.dsl.parsing.parser import MAX_TEXT, start_interactive_parser

STATEMENTS = ("USE", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST")
_WORD = re.compile(r"@\d*$|\w*$")
_REST_OF_WORD = re.compile(r"\w*")
MAX_KEYWORD_WORDS = 4  # `for the first time`
_MAX_JOINED_TOKENS = 4  # a longer text can join them to one token: `2000-01-` and `31`


@dataclass(frozen=True)
class Cursor:
    """The place of a cursor in a text.

    `typed` is the incomplete word from `start` to the cursor. `quote` is the open quote mark before it, or empty.
    A completion replaces the text from `start` to `end`. Offsets count characters.
    `tokens` are the tokens of the statement before `start`.
    """

    text: str
    start: int
    end: int
    typed: str
    quote: str
    tokens: tuple[Token, ...]

    @cached_property
    def states(self) -> list[Any]:
        """The parser after all tokens, after all but the last, and so on; None where the parser rejects a token."""
        parser = start_interactive_parser("start" if self.tokens and self.tokens[0].type in STATEMENTS else "cond")
        states: list[Any] = []
        wrong = False
        for n in range(len(self.tokens) + 1):
            if n > len(self.tokens) - MAX_KEYWORD_WORDS:
                states.insert(0, None if wrong else parser.copy(deepcopy_values=False))
            if n < len(self.tokens) and not wrong:
                wrong = not _accepts(parser, self.tokens[n])
        return states

    def accepts(self, words: int = 0) -> set[str]:
        """Returns the terminals that may follow all tokens but the last `words`; none after a syntax error."""
        if words >= len(self.states) or self.states[words] is None:
            return set()
        accepted: set[str] = self.states[words].accepts()
        return accepted | set(STATEMENTS) if len(self.tokens) == words == 0 else accepted

    def accepts_all(self, terminals: Sequence[str]) -> bool:
        """Tells whether the parser accepts these terminals in sequence."""
        if self.states[0] is None:
            return False
        parser = self.states[0].copy(deepcopy_values=False)
        parser.parser_state.parse_conf = copy(parser.parser_state.parse_conf)
        parser.parser_state.parse_conf.callbacks = {}  # build nothing, keep the stack as it is
        return all(_accepts(parser, Token(terminal, "")) for terminal in terminals)

    @property
    def stack(self) -> Sequence[Token | Tree[Token]]:
        """The stack of the parser: tokens, and trees of complete parts."""
        return self.states[0].parser_state.value_stack if self.states[0] is not None else ()

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The terminal or rule of each item of the stack."""
        return tuple(str(item.type if isinstance(item, Token) else item.data) for item in self.stack)

    def phrase(self, words: int) -> str:
        """Returns the text of the last `words` tokens, each with a space after it."""
        last = self.tokens[len(self.tokens) - words :] if words else ()
        return "".join(f"{' '.join(self.text[t.start_pos : t.end_pos].split())} " for t in last)

    def keeps_tokens(self, text: str) -> bool:
        """Tells whether the tokens before stay the same if `text` follows. `2000-` and `10` would become a month."""
        last = self.tokens[-_MAX_JOINED_TOKENS:]
        if not last:
            return True
        read = tokenize_prefix(self.text[last[0].start_pos : self.start] + text)
        return [token.type for token in islice(read, len(last))] == [token.type for token in last]

    @property
    def is_in_between(self) -> bool:
        """Tells whether `and` would join the ends of a `between`."""
        joins = (kind for kind in reversed(self.kinds) if kind in ("BETWEEN", "AND", "_and", "OR", "LPAR", "LSQB"))
        return next(joins, "") == "BETWEEN"

    @property
    def is_after_plural_number(self) -> bool:
        """Tells whether a unit here follows a number other than one (G8)."""
        return self.kinds[-2:] == ("NUMBER", "CALENDAR") and self.stack[-2] != "1"

    def build_item(self, at: int) -> Any:
        """Builds the syntax tree of an item of the stack; None if it is invalid."""
        return build_tree([self.stack[at]])

    @cached_property
    def is_chinese(self) -> bool:
        """Tells whether a keyword or name before the cursor, or the typed word, is Chinese."""
        outside = "" if self.quote else self.typed
        words = (self.text[token.start_pos : token.end_pos] for token in self.tokens if token.type != "STRING")
        return not all(map(str.isascii, (outside, *words)))


def build_tree(items: Sequence[Token | Tree[Token]], rule: str = "") -> Any:
    """Builds the syntax tree of one item of the parser stack, or of the parts of a grammar rule; None if invalid."""
    part = Tree(rule, list(items)) if rule else items[0]
    try:
        return TreeBuilder().transform(Tree("list", [part]))[0]
    except (RuleError, VisitError, RecursionError):  # such as a date that does not exist
        return None


def _accepts(parser: Any, token: Token) -> bool:
    try:
        parser.feed_token(token)
    except UnexpectedToken:
        return False
    return True


def locate_cursor(text: str, offset: int) -> Cursor | None:
    """Finds the cursor; returns None inside a comment and after characters that begin no token."""
    if len(text) > MAX_TEXT:
        return None
    left = text[:offset]
    mark, opened = _find_open_mark(left[left.rfind("\n") + 1 :])
    if mark == "#":
        return None
    if mark:
        start, end = left.rfind("\n") + 1 + opened, offset + text.startswith(mark, offset)
        typed = left[start + 1 :].replace(mark * 2, mark)
    else:
        found = _WORD.search(left)
        typed = found.group() if found else ""
        rest = _REST_OF_WORD.match(text, offset) if typed else None
        start, end = offset - len(typed), rest.end() if rest else offset
    try:
        tokens = tuple(tokenize(left[:start]))
    except UnexpectedCharacters:
        return None
    last = max((n for n, token in enumerate(tokens) if token.type in STATEMENTS), default=0)
    return Cursor(text, start, end, typed, mark, tokens[last:])


def _find_open_mark(line: str) -> tuple[str, int]:
    """Returns the quote mark or the `#` of a comment that is open at the end of the line, and its index."""
    mark, at = "", 0
    for n, char in enumerate(line):
        if not mark and char in "'\"`#":
            mark, at = char, n
        elif char == mark and mark != "#":
            mark = ""
    return mark, at
