"""Chinese words without spaces between them, and Chinese words for a keyword that are not keywords (G14)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quanyu.dsl.keywords import CHINESE_KEYWORDS
from quanyu.dsl.syntax_errors.foreign_syntax.pattern import Match, compile_patterns

_KEYWORDS = sorted((word for words in CHINESE_KEYWORDS.values() for word in words), key=len, reverse=True)
_PART = re.compile(rf"{'|'.join(_KEYWORDS)}|\d+(?:\.\d+)?(?:min|h|d|w|km|m|%)?|[a-zA-Z_]\w*|.")
_UNSPACED = re.compile(rf"(?:{'|'.join(_KEYWORDS)}|\d+(?:min|h|d|w)?)+")


def _split_words(found: Match) -> Sequence[str]:
    """Splits a word that consists of keywords and numbers."""
    if not _UNSPACED.fullmatch(found["word"]):
        return []
    return [" ".join(part[0] for part in _PART.finditer(found["word"]))]


CHINESE_PATTERNS = compile_patterns(
    (r"并且|而且|以及|同时", "并列写作 且; join conditions with 且", "且"),
    (
        r"近\s*(?P<n>\d{1,9})\s*天\s*(?P<at><name>)",
        "事件写作 做过 下单 在 最近 30d; write what somebody did with 做过",
        r"做过 \g<at> 在 最近 \g<n>d",
        r"做过 \g<at> 在 最近 \g<n> 自然 天",
    ),
    (
        r"(在\s+\S+\s+\S+)\s+(?P<at>(?:至少|至多|最多|恰好)\s+\d+\s+次)",
        "次数在时间之前; write the number of times before the window",
        r"\g<at> \1",
    ),
    (r"或者|或是", "两者之一写作 或; write either as 或", "或"),
    (r"(?<=\d)\s*个\s*(?=月|季度)", "单位前写 自然; write 自然 before whole units", " 自然 "),
    (
        r"(?:没有|未|没)\s*(?=做过|下单)(?:做过\s*)?",
        "没有发生写作 没做过; write what did not happen with 没做过",
        "没做过 ",
    ),
)

UNSPACED_CHINESE = compile_patterns(
    (r"(?P<word>[^\W\d_][^\W_]*)", "中文词之间要有空格; separate Chinese words with spaces (G14)", _split_words),
)
