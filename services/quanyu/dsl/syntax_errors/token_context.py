"""The tokens around a syntax error, and searches among them."""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token

from quanyu.dsl.errors import RuleError

STATEMENT_STARTS = ("DEFINE", "METRIC", "SEGMENT", "TAG", "TEST", "USE")
CONDITION_ENDS = ("SEMICOLON", *STATEMENT_STARTS)
CONDITION_STARTS = ("COLON", "WHEN", *CONDITION_ENDS)
CONNECTIVES = ("AND", "OR")
OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH")
_OPENING, _CLOSING = ("LPAR", "LSQB", "LBRACE"), ("RPAR", "RSQB", "RBRACE")


class TokenContext:
    """The tokens of a text around the unexpected one, which has the index `at`.

    `at` is the number of tokens if the text ends too early. Offsets count tokens from `at`.
    """

    def __init__(self, text: str, tokens: Sequence[Token], at: int) -> None:
        self.text, self.tokens, self.at = text, tokens, at

    @property
    def token(self) -> Token | None:
        """The unexpected token; None at the end of the text."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def kind(self, offset: int = 0) -> str:
        """Returns the terminal of a token; an empty string outside the text."""
        n = self.at + offset
        return self.tokens[n].type if 0 <= n < len(self.tokens) else ""

    def word(self, offset: int = 0) -> str:
        """Returns a token as the text writes it; an empty string outside the text."""
        n = self.at + offset
        return self.text_of(self.tokens[n]) if 0 <= n < len(self.tokens) else ""

    def text_of(self, token: Token) -> str:
        return self.text[token.start_pos : token.end_pos]

    def text_between(self, first: int, end: int) -> str:
        """Returns the text of the tokens with the indexes `first` to `end`, without the last."""
        end = min(end, len(self.tokens))
        if first >= end:
            return ""
        return self.text[self.tokens[first].start_pos : self.tokens[end - 1].end_pos]

    def error(self, message: str, *offers: str, offset: int = 0, begin: int | None = None) -> RuleError:
        """Returns a syntax error at the unexpected token, at an offset from it, or at the token with index `begin`."""
        n = self.at + offset if begin is None else begin
        if n < len(self.tokens):
            token = self.tokens[n]
            return RuleError(message, token.line or 1, token.column or 1, "syntax", offers)
        line = self.text.count("\n") + 1
        return RuleError(message, line, len(self.text) - self.text.rfind("\n"), "syntax", offers)

    def find_start(self, stop: Sequence[str]) -> int:
        """Returns the index after the nearest earlier token of a kind in `stop`, or after the bracket around `at`."""
        depth = 0
        for n in range(self.at - 1, -1, -1):
            kind = self.tokens[n].type
            depth += (kind in _CLOSING) - (kind in _OPENING)
            if depth < 0 or (depth == 0 and kind in stop):
                return n + 1
        return 0

    def find_end(self, start: int, stop: Sequence[str]) -> int:
        """Returns the index of the first token from `start` of a kind in `stop`, or of the closing bracket or end."""
        depth = 0
        for n in range(start, len(self.tokens)):
            kind = self.tokens[n].type
            if depth == 0 and (kind in _CLOSING or kind in stop):
                return n
            depth += (kind in _OPENING) - (kind in _CLOSING)
        return len(self.tokens)

    def find_connectives(self, start: int, end: int) -> list[int]:
        """Returns the indexes of `and` and `or` that join conditions outside brackets.

        Leaves out the `and` between the ends of a `between`.
        """
        found, depth, open_between = [], 0, False
        for n in range(start, end):
            kind = self.tokens[n].type
            depth += (kind in _OPENING) - (kind in _CLOSING)
            if depth == 0 and kind == "BETWEEN":
                open_between = True
            elif depth == 0 and kind in CONNECTIVES:
                if not open_between:
                    found.append(n)
                open_between = False
        return found
