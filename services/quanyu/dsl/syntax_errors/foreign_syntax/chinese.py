"""Chinese words that are not separated by spaces, or that say a keyword in another way (G14)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quanyu.dsl.keywords import CHINESE_KEYWORDS
from quanyu.dsl.syntax_errors.foreign_syntax.slip import Match, compile_patterns

_KEYWORDS = sorted((word for words in CHINESE_KEYWORDS.values() for word in words), key=len, reverse=True)
_PART = re.compile(rf"{'|'.join(_KEYWORDS)}|\d+(?:\.\d+)?(?:min|h|d|w|km|m|%)?|[a-zA-Z_]\w*|.")
_GLUED = re.compile(rf"(?:{'|'.join(_KEYWORDS)}|\d+(?:min|h|d|w)?)+")


def _apart(found: Match) -> Sequence[str]:
    """Where the whole word is made of keywords and numbers."""
    if not _GLUED.fullmatch(found["word"]):
        return []
    return [" ".join(part[0] for part in _PART.finditer(found["word"]))]


CHINESE_PATTERNS = compile_patterns(
    (r"并且|而且|以及|同时", "并列写作 且; conditions are joined by 且", "且"),
    (
        r"近\s*(?P<n>\d{1,9})\s*天\s*(?P<at><name>)",
        "事件写作 做过 下单 在 最近 30d; what somebody did is 做过",
        r"做过 \g<at> 在 最近 \g<n>d",
        r"做过 \g<at> 在 最近 \g<n> 自然 天",
    ),
    (
        r"(在\s+\S+\s+\S+)\s+(?P<at>(?:至少|至多|最多|恰好)\s+\d+\s+次)",
        "次数在时间之前; the number of times comes before the window",
        r"\g<at> \1",
    ),
    (r"或者|或是", "两者之一写作 或; either is 或", "或"),
    (r"(?<=\d)\s*个\s*(?=月|季度)", "单位前写 自然; whole units are 自然", " 自然 "),
    (r"(?:没有|未|没)\s*(?=做过|下单)(?:做过\s*)?", "没有发生写作 没做过; what did not happen is 没做过", "没做过 "),
    (r"(?P<word>[^\W\d_][^\W_]*)", "中文词之间要有空格; Chinese words are separated by spaces (G14)", _apart),
)
