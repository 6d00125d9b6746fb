"""Foreign syntax of comparisons, values, lists and logic."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.pattern import Match, compile_patterns


def _replace_like(found: Match) -> Sequence[str]:
    quoted = found["text"]
    inner = quoted[1:-1]
    test = {(True, True): "contains", (False, True): "starts with", (True, False): "ends with", (False, False): "="}
    word = test[inner.startswith("%"), inner.endswith("%")]
    return [f"{word} {quoted[0]}{inner.strip('%')}{quoted[0]}"]


def _write_list(found: Match) -> Sequence[str]:
    values = re.findall(r"'[^'\n]*'|\"[^\"\n]*\"|[^\s,，、;]+", found["items"])
    return [f"{found['before'] or ''}[{', '.join(values)}]"] if values else []


def _split_chain(found: Match) -> Sequence[str]:
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[found["one"]]
    return [f"{found['p']} {turned} {found['low']} and {found['p']} {found['two']} {found['high']}"]


def _write_digits(found: Match) -> Sequence[str]:
    whole, _, fraction = found["n"].partition(".")
    zeros = {"k": 3, "K": 3, "m": 6, "M": 6, "千": 3, "万": 4, "百万": 6, "亿": 8}[found["scale"]]
    digits = (whole + fraction.ljust(zeros, "0")[:zeros] + fraction[zeros:]).lstrip("0") or "0"
    return [digits]


_LIST_MESSAGE = "write a list in square brackets"
_NULL_MESSAGE = "ask whether a value exists with `is known` or `is unknown` (U2)"
_MONEY_MESSAGE = "write an amount without its currency, in major units (A7)"

EXPRESSION_PATTERNS = compile_patterns(
    (
        r"\bis\s+not\s+(?:null|empty|none|missing|blank|set)\b|\bis\s+(?:set|present|given)\b|\bexists\b|不为空|非空",
        _NULL_MESSAGE,
        "is known",
    ),
    (r"\bis\s+(?:null|empty|none|missing|blank|unset)\b|为空", _NULL_MESSAGE, "is unknown"),
    (
        r"\bis\s+(?P<at>not)\s+(?=<value>)|\bis\s+not\s+(?=<value>)|\bnot\s*=+\s*|\bnot\s+(?=['\"\d])|不等于\s*",
        "write unequal as `!=`",
        "!= ",
    ),
    (
        r"\bis\s+(?:more|greater|higher|longer|older|later)\s+than\b|\b(?:more|greater|higher|longer)\s+than\b|\bover\b|大于|高于|超过",
        "write more than as `>`",
        ">",
    ),
    (
        r"\bis\s+(?:less|fewer|lower|shorter|earlier)\s+than\b|\b(?:less|fewer|lower)\s+than\b|\bunder\b|\bbelow\b|小于|低于|少于",
        "write less than as `<`",
        "<",
    ),
    (
        r"\b(?:is|equals|eq|equal\s+to|is\s+equal\s+to)\s+(?=<value>|\d)|等于\s*|(?<=\s)为\s+",
        "write equal as `=`",
        "= ",
    ),
    (
        r"(?P<at>\b(?:i?like)\b)\s+(?P<text><text>)",
        "look for a part of a text with `contains`, `starts with` or `ends with`",
        _replace_like,
    ),
    (
        r"\b(?:starts|begins?\s+with|startswith|begins)\s+(?=['\"])",
        "look for the beginning of a text with `starts with`",
        "starts with ",
    ),
    (r"\b(?:ends|endswith|end\s+with)\s+(?=['\"])", "look for the end of a text with `ends with`", "ends with "),
    (r"\b(?:includes?|containing)\s+(?=['\"])", "look for a part of a text with `contains`", "contains "),
    (
        r"\bin\s*\[\s*(?P<at>\])",
        "a list needs at least one value; find people without a value with `is unknown`",
        "is unknown",
    ),
    (r"(?P<before>\bin\s*)\(\s*(?P<items><value>(?:\s*,\s*<value>)*)\s*\)", _LIST_MESSAGE, _write_list),
    (
        r"(?P<before>\b(?:in|has\s+(?:any|all|none))\s+)(?P<items>(?!last\b|next\b|this\b|each\b|at\b|the\b|past\b|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|segment\b|top\b|bottom\b)<value>)(?!\s*\()",
        _LIST_MESSAGE,
        _write_list,
    ),
    (r"\[(?P<c>[^\[\]\n]*<cmp>[^\[\]\n]*)\]", "write conditions in round brackets", r"(\g<c>)"),
    (r"(?P<before>)\[(?P<items>[^\[\]\n]*)\]", "separate the values of a list with commas", _write_list),
    (r"【(?P<items>[^】\n]*)】(?P<before>)", _LIST_MESSAGE, _write_list),
    (r"\bhas\s+\[", "say whether you mean any or all of the values", "has any [", "has all ["),
    (
        r"\b(?:has|contains?)\s+(?P<t><text>)",
        "ask what a set contains with `has any` or `has all`",
        r"has any [\g<t>]",
        r"has all [\g<t>]",
    ),
    (r"(?:¥|￥|\$|€|£)\s*(?P<n><number>)", _MONEY_MESSAGE, r"\g<n>"),
    (
        r"(?P<n><number>)\s*(?:元|块|圆|CNY|RMB|cny|rmb|USD|usd|yuan)\b|(?P<m><number>)\s*(?:元|块|圆)",
        _MONEY_MESSAGE,
        lambda found: [found["n"] or found["m"]],
    ),
    (
        r"(?P<n><number>)(?P<scale>百万|[kKmM千万亿])(?:元|块)?(?!\w)",
        "write all digits of a number (G12)",
        _write_digits,
    ),
    (
        r"(?P<n><number>)\s*(?:percent|pct|per\s+cent|％|百分点)\b|(?P<m><number>)\s+%|百分之(?P<k><number>)",
        "write a percentage as a number and its sign, such as 10%",
        lambda found: [f"{found['n'] or found['m'] or found['k']}%"],
    ),
    (
        r"(?P<low>-?<number>)\s*(?P<one><=|<|>=|>)\s*(?P<p><path>)\s*(?P<at>(?P<two><=|<|>=|>))\s*(?P<high>-?<number>)",
        "a comparison has two sides: write two comparisons",
        _split_chain,
    ),
    (r"(<cmp>\s*)(?P<at>\+)\s*(<number>)", "remove the plus sign before the number (G2)", r"\1\3"),
    (
        r"\bbetween\s+(<value>)\s*(?:,|，|to|\.\.|~|-)\s*(<value>)",
        "join the ends of `between` with `and`",
        r"between \1 and \2",
    ),
    (
        r"介于\s*(<number>)\s*(?:和|到|与|~|-)\s*(<number>)",
        "介于 的两端用 至 连接; join the ends with 至",
        r"介于 \1 至 \2",
    ),
    (r"'(\w+)'(?P<at>\w+)'", "double a quote mark inside a text (G11)", r"'\1''\g<at>'"),
    (r"(?P<at>'[^'\n]*)$", "the quotes that open here do not close on this line", r"\g<at>'"),
    (r'(?P<at>"[^"\n]*)$', "the quotes that open here do not close on this line", r'\g<at>"'),
    (r"[“”](?P<t>[^“”\"'\n]*)[“”]", "write straight quotes", r"'\g<t>'"),
    (r"[‘’](?P<t>[^‘’\"'\n]*)[‘’]", "write straight quotes", r"'\g<t>'"),
    (r"「(?P<t>[^「」\"'\n]*)」", "write straight quotes", r"'\g<t>'"),
    (r"(?P<at>!)\s*\(", "write `!` as `not`", "not ("),
    (r"≥|>＝", "write at least as `>=`", ">="),
    (r"≤|<＝", "write at most as `<=`", "<="),
    (r"≠", "write unequal as `!=`", "!="),
    (r"×", "write times as `*`", "*"),
    (r"÷", "write divided by as `/`", "/"),
    (
        r"(?P<v><value>\)?)\s*(?P<at>[，,;；])\s*(?P<w>did\b|not\b|<path>(?=\s*(?:<cmp>|in\b|is\b|has\b)))",
        "join conditions with `and` or `or`",
        r"\g<v> and \g<w>",
        r"\g<v> or \g<w>",
    ),
    (
        r"\b(?:incl\.?|include|includes|included|including)\s+(?P<u>unknown|unknowns|null|nulls|empty|missing)\b",
        "write `including unknown` in full",
        "including unknown",
    ),
    (r"\b(?P<at>but|plus|as\s+well\s+as)\s+", "join conditions with `and` or `or`", "and "),
    (r"(?:--|//)\s*(?P<c>.*)$", "begin a comment with `#`", r"# \g<c>"),
)
