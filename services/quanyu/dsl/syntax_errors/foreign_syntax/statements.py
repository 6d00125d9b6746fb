"""Segments, tags, definitions, ranks, samples and places written in another way."""

from __future__ import annotations

from quanyu.dsl.syntax_errors.foreign_syntax.slip import compile_patterns

STATEMENT_PATTERNS = compile_patterns(
    (r"\b(segment\s+<name>(?:\s+among\s+<name>)?)\s*(?P<at>=)\s*", "a segment's name ends with `:`", r"\1: "),
    (r"\b(tag\s+<name>)\s*(?P<at>=)\s*", "a tag's name ends with `:`", r"\1: "),
    (r"\b((?:metric|define)\s+<name>)\s*(?P<at>:)\s*", "after the name of a metric or definition stands `=`", r"\1 = "),
    (
        r"\bmetric(\s+<name>\s*)=(\s*[^=<>\n]+?)(?P<at><cmp>)",
        "what is true or false is a segment, a metric is a number",
        r"segment\1:\2\g<at>",
    ),
    (
        r"\b(define\s+<name>\s*=\s*<name>)\s*(?P<at>,|and\b|/|\|)\s*",
        "the events of a definition are joined by `or`",
        r"\1 or ",
    ),
    (r"^\s*segment\s+(<name>)\s*$", "membership is asked by `in segment`", r"in segment \1"),
    (r"(<text>)\s+(?P<at>if|for|where|whenever)\s+", "a tier is a value `when` a condition", r"\1 when "),
    (
        r"(?P<at>\b(?:else|otherwise|default)\b)\s*(?P<v><text>)",
        "before `else` the last tier ends with `;`",
        r"; else \g<v>",
    ),
    (r";\s*(?:otherwise|default|elsewise)\s+", "the rest is written `else`", "; else "),
    (r"(?P<at>\belse\s+if\b)\s*", "every line but the last has its condition, `else` has none", ""),
    (r"(?P<e>;\s*else\s+<value>)\s+(?P<at>when)\s[^;\n]*", "`else` takes the rest, without a condition (G7)", r"\g<e>"),
    (r"\bnot\s+in\s+(?P<at><text>|<name>)(?=\s*$)", "membership is asked by `in segment`", r"not in segment \g<at>"),
    (
        r"\b(?P<at>in)\s+(?!segment\b|top\b|bottom\b)(?P<s><name>)",
        "membership is asked by `in segment`",
        r"in segment \g<s>",
    ),
    (r"\b(in\s+segment)\s+(?P<at>['\"](?P<s>[^\W\d]\w*)['\"])", "a segment's name stands without quotes", r"\1 \g<s>"),
    (r"\b(entered|left)\s+(?P<at>(?!segment)<name>)", "moves name the segment", r"\1 segment \g<at>"),
    (
        r"\b(in\s+segment\s+<name>\s+(?:or|and))\s+(<name>)(?P<at>)\s*$",
        "each membership is written out",
        r"\1 in segment \2",
    ),
    (
        r"\b(?P<at>in\s+segment)(?P<s>\s+<name>\s+)(?P<w><duration>\s+ago|on\s+<date>)",
        "of the past it is `was in segment`",
        r"was in segment\g<s>\g<w>",
    ),
    (
        r"\bin\s+segment(?P<s>\s+<name>\s+)(?P<at><duration>\s+ago|on\s+<date>)",
        "of the past it is `was in segment`",
        r"was in segment\g<s>\g<at>",
    ),
    (
        r"\b(in\s+(?:top|bottom)\s+<number>%?)\s+(?:(?:among|in|from)\s+)?(?P<s>(?!and\b|or\b|of\b|including\b|percent\b|pct\b|%)<name>)",
        "a rank is `of` a segment",
        r"\1 of \g<s>",
    ),
    (r"(?<!in )\b(?P<at>(top|bottom)\s+<number>%?)", "a rank begins with `in`", r"in \g<at>"),
    (
        r"(quintile|decile|percentile)(\([^()\n]*?)\s+(?P<at>of|in)\s+(<name>)\)",
        "a tile is `among` a segment",
        r"\1\2 among \4)",
    ),
    (r"\bsample\s+(?P<at>(?P<n>\d{1,3}(?:\.\d+)?))(?!%)", "a sample is a percentage", r"sample \g<n>%"),
    (
        r"\bsample\s+(?P<at>0?(?P<n>\.\d+))",
        "a sample is a percentage",
        lambda found: [f"sample {float(found['n']) * 100:g}%"],
    ),
    (r"\bseed\s+(?P<at>(?P<s>\w+))", "a seed is a text in quotes", r"seed '\g<s>'"),
    (
        r"\bwithin\s+(?P<at>(?P<n><number>))\s*(?P<u>km|m|kilometers?|metres?|meters?|公里|米)\s+of\b",
        "a distance is a number with its unit, such as 3km",
        lambda found: [f"within {found['n']}{'km' if found['u'][0] in 'k公' else 'm'} of"],
    ),
    (
        r"\bwithin\s+(?P<at>(?P<n><number>))\s+of\b",
        "a distance has its unit",
        r"within \g<n>km of",
        r"within \g<n>m of",
    ),
    (
        r"\bof\s+(?P<at>(?P<a>-?<number>))\s*,\s*(?P<b>-?<number>)",
        "a point is (latitude, longitude) in brackets",
        r"of (\g<a>, \g<b>)",
    ),
    (r"\b(?:near|close\s+to|around)\s+(?=\(|<path>)", "how near? a distance is needed", "within 3km of "),
    (r"\banniversary\s+(?P<at><path>)", "it is `anniversary of`", r"anniversary of \g<at>"),
    (
        r"\b(last|first)\s+(?P<e><name>)\s*(?=<cmp>|between\b|in\b|since\b|before\b)",
        "how long ago is one word, such as last_order",
        r"\1_\g<e>",
    ),
    (r"(<cmp>\s*<duration>)\s+(?P<at>ago)\b", "a recency is how long ago: compared without `ago`", r"\1"),
    (
        r"(?P<p>\blast_\w+)\s+(?:before|earlier than|older than)\s+(?P<at>(?P<d><duration>))(?:\s+ago)?",
        "longer ago is written `>`",
        r"\g<p> > \g<d>",
    ),
    (r";\s*$", "a condition ends without a sign", ""),
    (
        r"\bif\s+(?P<at>(?P<a>\S[^\n]*?)\s+then\s+(?P<b>[^\n]+))$",
        "both together are joined by `and`",
        r"\g<a> and \g<b>",
    ),
    (r"\bif\s+(?P<at>(?P<rest>\S[^\n]*))$", "a condition stands without `if`", r"\g<rest>"),
)
