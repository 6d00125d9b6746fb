"""Where a cursor stands in a text that need not be right: what is half typed, and what stands before it."""

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
MOST_WORDS = 4  # of one keyword: `for the first time`
_MOST_JOINED = 4  # tokens that are another with what follows: `2000-01-` and `31`


@dataclass(frozen=True)
class Cursor:
    """`typed` is what stands half typed from `start` to the cursor, inside a `quote` if that is not empty.

    `end`: up to where it is to be replaced. Offsets count characters. `tokens`: those of the statement before `start`.
    """

    text: str
    start: int
    end: int
    typed: str
    quote: str
    tokens: tuple[Token, ...]

    @cached_property
    def states(self) -> list[Any]:
        """The parser after all tokens, after all but the last, and so on; None where it could not read on."""
        parser = start_interactive_parser("start" if self.tokens and self.tokens[0].type in STATEMENTS else "cond")
        states: list[Any] = []
        wrong = False
        for n in range(len(self.tokens) + 1):
            if n > len(self.tokens) - MOST_WORDS:
                states.insert(0, None if wrong else parser.copy(deepcopy_values=False))
            if n < len(self.tokens) and not wrong:
                wrong = not _reads(parser, self.tokens[n])
        return states

    def accepts(self, words: int = 0) -> set[str]:
        """The terminals that may stand after all but the last so many tokens; none where the text before is wrong."""
        if words >= len(self.states) or self.states[words] is None:
            return set()
        accepted: set[str] = self.states[words].accepts()
        return accepted | set(STATEMENTS) if len(self.tokens) == words == 0 else accepted

    def accepts_all(self, terminals: Sequence[str]) -> bool:
        """Whether these terminals may follow one another here."""
        if self.states[0] is None:
            return False
        parser = self.states[0].copy(deepcopy_values=False)
        parser.parser_state.parse_conf = copy(parser.parser_state.parse_conf)
        parser.parser_state.parse_conf.callbacks = {}  # nothing is built, what stands on the stack stays as it is
        return all(_reads(parser, Token(terminal, "")) for terminal in terminals)

    @property
    def stack(self) -> Sequence[Token | Tree[Token]]:
        """What the parser holds: tokens, and trees of what is complete."""
        return self.states[0].parser_state.value_stack if self.states[0] is not None else ()

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Of each of them: the terminal, or the rule."""
        return tuple(str(item.type if isinstance(item, Token) else item.data) for item in self.stack)

    def phrase(self, words: int) -> str:
        """The last so many tokens as they are written, and a space; nothing if there are not so many."""
        last = self.tokens[len(self.tokens) - words :] if words else ()
        return "".join(f"{' '.join(self.text[t.start_pos : t.end_pos].split())} " for t in last)

    def leaves(self, text: str) -> bool:
        """Whether the tokens before stay what they are if the text follows: `2000-` and `10` would be a month."""
        last = self.tokens[-_MOST_JOINED:]
        if not last:
            return True
        read = tokenize_prefix(self.text[last[0].start_pos : self.start] + text)
        return [token.type for token in islice(read, len(last))] == [token.type for token in last]

    @property
    def in_between(self) -> bool:
        """Whether `and` would join the ends of a `between`."""
        joins = (kind for kind in reversed(self.kinds) if kind in ("BETWEEN", "AND", "_and", "OR", "LPAR", "LSQB"))
        return next(joins, "") == "BETWEEN"

    @property
    def counts_many(self) -> bool:
        """Whether a unit here stands after a number other than one (G8)."""
        return self.kinds[-2:] == ("NUMBER", "CALENDAR") and self.stack[-2] != "1"

    def built(self, at: int) -> Any:
        """What of the stack stands there, as a part of the syntax tree; None if it is wrong."""
        return build_tree([self.stack[at]])

    @cached_property
    def in_chinese(self) -> bool:
        """Whether the statement is written in Chinese: a keyword or name before the cursor, or what is typed."""
        outside = "" if self.quote else self.typed
        words = (self.text[token.start_pos : token.end_pos] for token in self.tokens if token.type != "STRING")
        return not all(map(str.isascii, (outside, *words)))


def build_tree(items: Sequence[Token | Tree[Token]], rule: str = "") -> Any:
    """The syntax tree of what the parser holds: of the one item, or of a rule's parts."""
    part = Tree(rule, list(items)) if rule else items[0]
    try:
        return TreeBuilder().transform(Tree("list", [part]))[0]
    except (RuleError, VisitError, RecursionError):  # such as a date that does not exist
        return None


def _reads(parser: Any, token: Token) -> bool:
    try:
        parser.feed_token(token)
    except UnexpectedToken:
        return False
    return True


def locate_cursor(text: str, offset: int) -> Cursor | None:
    """None inside a comment, and where what stands before cannot be read at all."""
    if len(text) > MAX_TEXT:
        return None
    left = text[:offset]
    mark, opened = _open_mark(left[left.rfind("\n") + 1 :])
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


def _open_mark(line: str) -> tuple[str, int]:
    """The quote mark, or the `#` of a comment, that is open at the end of the line, and where it stands."""
    mark, at = "", 0
    for n, char in enumerate(line):
        if not mark and char in "'\"`#":
            mark, at = char, n
        elif char == mark and mark != "#":
            mark = ""
    return mark, at
