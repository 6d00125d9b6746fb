"""Slips: what people write from the habit of another language, and what to write here instead.

A table by subject; each row is a pattern that holds the wrong place, what the error says, and what to put in its place.
"""

from __future__ import annotations

from quanyu.dsl.errors import RuleError
from quanyu.dsl.syntax_errors.foreign_syntax.chinese import CHINESE_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.events import EVENT_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.slip import match_patterns
from quanyu.dsl.syntax_errors.foreign_syntax.statements import STATEMENT_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.windows import WINDOW_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.words import EXPRESSION_PATTERNS

_ALL = (
    *CHINESE_PATTERNS[:-1],
    *EVENT_PATTERNS,
    *STATEMENT_PATTERNS,
    *WINDOW_PATTERNS,
    *EXPRESSION_PATTERNS,
    CHINESE_PATTERNS[-1],
)


def find_foreign_syntax(text: str, at: int) -> RuleError | None:
    """The error of the first slip that the place of the text lies in, if any has something to offer."""
    for slip, found in match_patterns(text, at, _ALL):
        offers = [offer for offer in slip.offers(found) if offer != found[0]]
        if offers:
            start = found.start()
            line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
            return RuleError(slip.says, line, column, "syntax", offers)
    return None
