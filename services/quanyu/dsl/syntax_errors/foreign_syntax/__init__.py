"""Slips: what people write from the habit of another language, and what to write here instead.

A table by subject; each row is a pattern that holds the wrong place, what the error says, and what to put in its place.
"""

from __future__ import annotations

from quanyu.dsl.errors import RuleError
from quanyu.dsl.syntax_errors.foreign_syntax.chinese import CHINESE_SLIPS
from quanyu.dsl.syntax_errors.foreign_syntax.events import EVENTS
from quanyu.dsl.syntax_errors.foreign_syntax.slip import near
from quanyu.dsl.syntax_errors.foreign_syntax.statements import STATEMENTS
from quanyu.dsl.syntax_errors.foreign_syntax.windows import WINDOWS
from quanyu.dsl.syntax_errors.foreign_syntax.words import WORDS

_ALL = (*CHINESE_SLIPS[:-1], *EVENTS, *STATEMENTS, *WINDOWS, *WORDS, CHINESE_SLIPS[-1])


def known_slip(text: str, at: int) -> RuleError | None:
    """The error of the first slip that the place of the text lies in, if any has something to offer."""
    for slip, found in near(text, at, _ALL):
        offers = [offer for offer in slip.offers(found) if offer != found[0]]
        if offers:
            start = found.start()
            line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
            return RuleError(slip.says, line, column, "syntax", offers)
    return None
