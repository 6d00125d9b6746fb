"""The keywords of the rule language, in English and Chinese (G10, G14).

The lexer turns a Chinese keyword into the token of the English keyword.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

# English keyword: its Chinese words. The parser accepts all of them, the formatter writes the first.
CHINESE_KEYWORDS: dict[str, tuple[str, ...]] = {
    "and": ("且",),
    "or": ("或",),
    "not": ("不", "非"),
    "including unknown": ("含未知",),
    "in": ("在", "属于"),
    "between": ("介于",),
    "default": ("缺省",),
    "is known": ("已知",),
    "is unknown": ("未知",),
    "contains": ("包含",),
    "matches": ("匹配",),
    "starts with": ("开头是",),
    "ends with": ("结尾是",),
    "has any": ("含任一",),
    "has all": ("含全部",),
    "has none": ("不含",),
    "did": ("做过",),
    "did not": ("没做过",),
    "where": ("其中",),
    "at least": ("至少",),
    "at most": ("至多", "最多"),
    "exactly": ("恰好",),
    "times": ("次",),
    "for the first time": ("首次",),
    "then": ("然后", "则"),
    "without": ("期间没有",),
    "after": ("间隔至少",),
    "within": ("不超过",),
    "by": ("按",),
    "last": ("最近", "上"),
    "next": ("未来", "下"),
    "this": ("本",),
    "calendar": ("自然",),
    "each": ("每个",),
    "of": ("范围", "距"),
    "day": ("天", "日"),
    "week": ("周",),
    "month": ("月",),
    "quarter": ("季度",),
    "year": ("年",),
    "today": ("今天",),
    "yesterday": ("昨天",),
    "tomorrow": ("明天",),
    "ever": ("任何时候",),
    "on": ("于",),
    "since": ("自",),
    "before": ("早于",),
    "ago": ("前",),
    "anniversary of": ("周年日",),
    "in segment": ("属于人群",),
    "was in segment": ("曾属于人群",),
    "entered segment": ("进入人群",),
    "left segment": ("离开人群",),
    "among": ("限于",),
    "in top": ("位居前",),
    "in bottom": ("位居后",),
    "sample": ("抽样",),
    "seed": ("种子",),
    "quintile": ("五分位",),
    "decile": ("十分位",),
    "percentile": ("百分位",),
    "count": ("次数",),
    "sum": ("合计",),
    "avg": ("平均",),
    "min": ("最小",),
    "max": ("最大",),
    "median": ("中位数",),
    "distinct": ("去重数",),
    "earliest": ("最早",),
    "latest": ("最新",),
    "most": ("最常",),
    "days": ("天数",),
    "define": ("定义",),
    "metric": ("指标",),
    "segment": ("人群",),
    "tag": ("标签",),
    "when": ("当",),
    "else": ("否则",),
    "use": ("设置",),
    "test": ("测试",),
    "given": ("假设",),
    "at": ("时间",),
    "as of": ("截至",),
    "true": ("是",),
    "false": ("否",),
}

# The Chinese word between the two ends of a `between`, for the English `and`.
BETWEEN_ENDS = "至"

# Terminals with a name of their own in grammar.lark. The terminal of every other keyword is the word in capitals.
_TERMINALS = {
    "including unknown": "_INCLUDING_UNKNOWN",
    "is known": "_IS_KNOWN",
    "is unknown": "_IS_UNKNOWN",
    "starts with": "_STARTS_WITH",
    "ends with": "_ENDS_WITH",
    "has any": "_HAS_ANY",
    "has all": "_HAS_ALL",
    "has none": "_HAS_NONE",
    "did not": "_DID_NOT",
    "at least": "_AT_LEAST",
    "at most": "_AT_MOST",
    "exactly": "_EXACTLY",
    "for the first time": "_FIRST_TIME",
    "anniversary of": "_ANNIVERSARY",
    "in segment": "_IN_SEGMENT",
    "was in segment": "_WAS_IN_SEGMENT",
    "entered segment": "_ENTERED",
    "left segment": "_LEFT",
    "in top": "_IN_TOP",
    "in bottom": "_IN_BOTTOM",
    "as of": "_AS_OF",
    "true": "NAME",
    "false": "NAME",
    **dict.fromkeys(("day", "week", "month", "quarter", "year"), "UNIT"),
    **dict.fromkeys(("quintile", "decile", "percentile"), "TILE"),
    **dict.fromkeys(
        ("count", "sum", "avg", "min", "max", "median", "distinct", "earliest", "latest", "most", "days"), "AGG"
    ),
}

_TOKENS: dict[str, tuple[str, str]] = {
    word: (_TERMINALS.get(english, english.upper()), english)
    for english, words in CHINESE_KEYWORDS.items()
    for word in words
}

# Terminal: the English keywords that the lexer turns into it.
KEYWORDS_BY_TERMINAL: dict[str, tuple[str, ...]] = {}
for _english in CHINESE_KEYWORDS:
    _terminal = _TERMINALS.get(_english, _english.upper())
    KEYWORDS_BY_TERMINAL[_terminal] = (*KEYWORDS_BY_TERMINAL.get(_terminal, ()), _english)

_ENGLISH = """use define or metric segment among tag when else test given did at then not and between ago in contains
matches within of on sample seed where without after by times ever tomorrow last next today yesterday this calendar
since before each default day days week weeks month months quarter quarters year years exactly"""

_PLAIN = re.compile(r"[^\W\d]\w*")

# Words that need backquotes as names (G10).
RESERVED: frozenset[str] = frozenset([*_ENGLISH.split(), *_TOKENS, BETWEEN_ENDS])


def needs_backquotes(name: str) -> bool:
    """Tells whether the parser reads the name as something else without backquotes (G10)."""
    return name in RESERVED or not _PLAIN.fullmatch(name)


def find_chinese_words(token: Token) -> tuple[str, ...]:
    """Returns the Chinese words for a token of the lexer; an empty tuple if the token is not a keyword."""
    english = KEYWORDS_BY_TERMINAL.get(token.type, ())
    word = token.value.removesuffix("s") if token.type == "UNIT" else token.value
    keyword = english[0] if len(english) == 1 else word
    return CHINESE_KEYWORDS[keyword] if keyword in english else ()


class ChineseKeywords:
    """Lark's postlex step: turns a NAME without backquotes that is a Chinese keyword into the keyword's token."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        for token in stream:
            if token.type == "NAME" and token.value in _TOKENS:
                kind, english = _TOKENS[token.value]
                yield Token.new_borrow_pos(kind, english, token)
            else:
                yield token
