"""Comparisons, values, lists and logic written in another way."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.slip import Match, compile_patterns


def _like(found: Match) -> Sequence[str]:
    quoted = found["text"]
    inner = quoted[1:-1]
    test = {(True, True): "contains", (False, True): "starts with", (True, False): "ends with", (False, False): "="}
    word = test[inner.startswith("%"), inner.endswith("%")]
    return [f"{word} {quoted[0]}{inner.strip('%')}{quoted[0]}"]


def _items(found: Match) -> Sequence[str]:
    values = re.findall(r"'[^'\n]*'|\"[^\"\n]*\"|[^\s,，、;]+", found["items"])
    return [f"{found['before'] or ''}[{', '.join(values)}]"] if values else []


def _chained(found: Match) -> Sequence[str]:
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[found["one"]]
    return [f"{found['p']} {turned} {found['low']} and {found['p']} {found['two']} {found['high']}"]


def _scaled(found: Match) -> Sequence[str]:
    whole, _, fraction = found["n"].partition(".")
    zeros = {"k": 3, "K": 3, "m": 6, "M": 6, "千": 3, "万": 4, "百万": 6, "亿": 8}[found["scale"]]
    digits = (whole + fraction.ljust(zeros, "0")[:zeros] + fraction[zeros:]).lstrip("0") or "0"
    return [digits]


_LIST = "a list stands in square brackets"
_NULL = "what is not known is asked for with `is known`, `is unknown` (U2)"
_MONEY = "an amount is written without its currency, in major units (A7)"

EXPRESSION_PATTERNS = compile_patterns(
    (
        r"\bis\s+not\s+(?:null|empty|none|missing|blank|set)\b|\bis\s+(?:set|present|given)\b|\bexists\b|不为空|非空",
        _NULL,
        "is known",
    ),
    (r"\bis\s+(?:null|empty|none|missing|blank|unset)\b|为空", _NULL, "is unknown"),
    (
        r"\bis\s+(?P<at>not)\s+(?=<value>)|\bis\s+not\s+(?=<value>)|\bnot\s*=+\s*|\bnot\s+(?=['\"\d])|不等于\s*",
        "unequal is written `!=`",
        "!= ",
    ),
    (
        r"\bis\s+(?:more|greater|higher|longer|older|later)\s+than\b|\b(?:more|greater|higher|longer)\s+than\b|\bover\b|大于|高于|超过",
        "more than is written `>`",
        ">",
    ),
    (
        r"\bis\s+(?:less|fewer|lower|shorter|earlier)\s+than\b|\b(?:less|fewer|lower)\s+than\b|\bunder\b|\bbelow\b|小于|低于|少于",
        "less than is written `<`",
        "<",
    ),
    (
        r"\b(?:is|equals|eq|equal\s+to|is\s+equal\s+to)\s+(?=<value>|\d)|等于\s*|(?<=\s)为\s+",
        "equal is written `=`",
        "= ",
    ),
    (
        r"(?P<at>\b(?:i?like)\b)\s+(?P<text><text>)",
        "parts of a text are found by `contains`, `starts with`, `ends with`",
        _like,
    ),
    (
        r"\b(?:starts|begins?\s+with|startswith|begins)\s+(?=['\"])",
        "the beginning of a text is found by `starts with`",
        "starts with ",
    ),
    (r"\b(?:ends|endswith|end\s+with)\s+(?=['\"])", "the end of a text is found by `ends with`", "ends with "),
    (r"\b(?:includes?|containing)\s+(?=['\"])", "a part of a text is found by `contains`", "contains "),
    (r"\bin\s*\[\s*(?P<at>\])", "a list holds at least one value; who has none is found by `is unknown`", "is unknown"),
    (r"(?P<before>\bin\s*)\(\s*(?P<items><value>(?:\s*,\s*<value>)*)\s*\)", _LIST, _items),
    (
        r"(?P<before>\b(?:in|has\s+(?:any|all|none))\s+)(?P<items>(?!last\b|next\b|this\b|each\b|at\b|the\b|past\b|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|segment\b|top\b|bottom\b)<value>)(?!\s*\()",
        _LIST,
        _items,
    ),
    (r"\[(?P<c>[^\[\]\n]*<cmp>[^\[\]\n]*)\]", "conditions stand in round brackets", r"(\g<c>)"),
    (r"(?P<before>)\[(?P<items>[^\[\]\n]*)\]", "values of a list are separated by commas", _items),
    (r"【(?P<items>[^】\n]*)】(?P<before>)", _LIST, _items),
    (r"\bhas\s+\[", "of several values, any or all?", "has any [", "has all ["),
    (
        r"\b(?:has|contains?)\s+(?P<t><text>)",
        "what a set has is `has any` or `has all`",
        r"has any [\g<t>]",
        r"has all [\g<t>]",
    ),
    (r"(?:¥|￥|\$|€|£)\s*(?P<n><number>)", _MONEY, r"\g<n>"),
    (
        r"(?P<n><number>)\s*(?:元|块|圆|CNY|RMB|cny|rmb|USD|usd|yuan)\b|(?P<m><number>)\s*(?:元|块|圆)",
        _MONEY,
        lambda found: [found["n"] or found["m"]],
    ),
    (r"(?P<n><number>)(?P<scale>百万|[kKmM千万亿])(?:元|块)?(?!\w)", "numbers are written out (G12)", _scaled),
    (
        r"(?P<n><number>)\s*(?:percent|pct|per\s+cent|％|百分点)\b|(?P<m><number>)\s+%|百分之(?P<k><number>)",
        "a percentage is a number and its sign, such as 10%",
        lambda found: [f"{found['n'] or found['m'] or found['k']}%"],
    ),
    (
        r"(?P<low>-?<number>)\s*(?P<one><=|<|>=|>)\s*(?P<p><path>)\s*(?P<at>(?P<two><=|<|>=|>))\s*(?P<high>-?<number>)",
        "one comparison has two sides",
        _chained,
    ),
    (r"(<cmp>\s*)(?P<at>\+)\s*(<number>)", "there is no plus sign before a number (G2)", r"\1\3"),
    (
        r"\bbetween\s+(<value>)\s*(?:,|，|to|\.\.|~|-)\s*(<value>)",
        "the ends of `between` are joined by `and`",
        r"between \1 and \2",
    ),
    (
        r"介于\s*(<number>)\s*(?:和|到|与|~|-)\s*(<number>)",
        "介于 的两端用 至 连接; the ends are joined by 至",
        r"介于 \1 至 \2",
    ),
    (r"'(\w+)'(?P<at>\w+)'", "a quote mark inside a text is doubled (G11)", r"'\1''\g<at>'"),
    (r"(?P<at>'[^'\n]*)$", "the quotes that open here do not close on this line", r"\g<at>'"),
    (r'(?P<at>"[^"\n]*)$', "the quotes that open here do not close on this line", r'\g<at>"'),
    (r"[“”](?P<t>[^“”\"'\n]*)[“”]", "quotes are straight", r"'\g<t>'"),
    (r"[‘’](?P<t>[^‘’\"'\n]*)[‘’]", "quotes are straight", r"'\g<t>'"),
    (r"「(?P<t>[^「」\"'\n]*)」", "quotes are straight", r"'\g<t>'"),
    (r"(?P<at>!)\s*\(", "`!` is written `not`", "not ("),
    (r"≥|>＝", "at least is written `>=`", ">="),
    (r"≤|<＝", "at most is written `<=`", "<="),
    (r"≠", "unequal is written `!=`", "!="),
    (r"×", "times is written `*`", "*"),
    (r"÷", "divided by is written `/`", "/"),
    (
        r"(?P<v><value>\)?)\s*(?P<at>[，,;；])\s*(?P<w>did\b|not\b|<path>(?=\s*(?:<cmp>|in\b|is\b|has\b)))",
        "conditions are joined by `and` or `or`",
        r"\g<v> and \g<w>",
        r"\g<v> or \g<w>",
    ),
    (
        r"\b(?:incl\.?|include|includes|included|including)\s+(?P<u>unknown|unknowns|null|nulls|empty|missing)\b",
        "written out it is `including unknown`",
        "including unknown",
    ),
    (r"\b(?P<at>but|plus|as\s+well\s+as)\s+", "conditions are joined by `and` or `or`", "and "),
    (r"(?:--|//)\s*(?P<c>.*)$", "a comment begins with `#`", r"# \g<c>"),
)
