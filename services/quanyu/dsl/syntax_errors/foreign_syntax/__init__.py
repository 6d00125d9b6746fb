"""Finds syntax of other languages and habits, and suggests the syntax of a rule.

Each module is a table for one subject. A row has a pattern that contains the error, the message, and replacements.
"""

from __future__ import annotations

from quanyu.dsl.errors import RuleError
from quanyu.dsl.syntax_errors.foreign_syntax.chinese import CHINESE_PATTERNS, UNSPACED_CHINESE
from quanyu.dsl.syntax_errors.foreign_syntax.events import EVENT_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.expressions import EXPRESSION_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.pattern import match_patterns
from quanyu.dsl.syntax_errors.foreign_syntax.statements import STATEMENT_PATTERNS
from quanyu.dsl.syntax_errors.foreign_syntax.windows import WINDOW_PATTERNS

# The first pattern that matches decides. Unspaced Chinese matches any Chinese word, so it comes last.
_PATTERNS = (
    *CHINESE_PATTERNS, *EVENT_PATTERNS, *STATEMENT_PATTERNS, *WINDOW_PATTERNS, *EXPRESSION_PATTERNS, *UNSPACED_CHINESE
)  # fmt: skip


def find_foreign_syntax(text: str, at: int) -> RuleError | None:
    """Returns the error of the first pattern that matches around `at` and has a suggestion, or None."""
    for pattern, found in match_patterns(text, at, _PATTERNS):
        offers = [offer for offer in pattern.list_offers(found) if offer != found[0]]
        if offers:
            start = found.start()
            line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
            return RuleError(pattern.message, line, column, "syntax", offers)
    return None
