"""Foreign syntax of segments, tags, definitions, ranks, samples and places."""

from __future__ import annotations

from quanyu.dsl.syntax_errors.foreign_syntax.pattern import compile_patterns

STATEMENT_PATTERNS = compile_patterns(
    (r"\b(segment\s+<name>(?:\s+among\s+<name>)?)\s*(?P<at>=)\s*", "write `:` after the name of a segment", r"\1: "),
    (r"\b(tag\s+<name>)\s*(?P<at>=)\s*", "write `:` after the name of a tag", r"\1: "),
    (r"\b((?:metric|define)\s+<name>)\s*(?P<at>:)\s*", "write `=` after the name of a metric or definition", r"\1 = "),
    (
        r"\bmetric(\s+<name>\s*)=(\s*[^=<>\n]+?)(?P<at><cmp>)",
        "a metric is a number: write a condition as a segment",
        r"segment\1:\2\g<at>",
    ),
    (
        r"\b(define\s+<name>\s*=\s*<name>)\s*(?P<at>,|and\b|/|\|)\s*",
        "join the events of a definition with `or`",
        r"\1 or ",
    ),
    (r"^\s*segment\s+(<name>)\s*$", "ask for membership with `in segment`", r"in segment \1"),
    (r"(<text>)\s+(?P<at>if|for|where|whenever)\s+", "write a tier as a value, `when` and a condition", r"\1 when "),
    (
        r"(?P<at>\b(?:else|otherwise|default)\b)\s*(?P<v><text>)",
        "write `;` after the last tier, before `else`",
        r"; else \g<v>",
    ),
    (r";\s*(?:otherwise|default|elsewise)\s+", "write the value for everybody else with `else`", "; else "),
    (r"(?P<at>\belse\s+if\b)\s*", "remove `else if`: a tier is a value, `when` and a condition", ""),
    (
        r"(?P<e>;\s*else\s+<value>)\s+(?P<at>when)\s[^;\n]*",
        "remove the condition after `else`: it takes everybody who is left (G7)",
        r"\g<e>",
    ),
    (r"\bnot\s+in\s+(?P<at><text>|<name>)(?=\s*$)", "ask for membership with `in segment`", r"not in segment \g<at>"),
    (
        r"\b(?P<at>in)\s+(?!segment\b|top\b|bottom\b)(?P<s><name>)",
        "ask for membership with `in segment`",
        r"in segment \g<s>",
    ),
    (
        r"\b(in\s+segment)\s+(?P<at>['\"](?P<s>[^\W\d]\w*)['\"])",
        "write the name of a segment without quotes",
        r"\1 \g<s>",
    ),
    (
        r"\b(entered|left)\s+(?P<at>(?!segment)<name>)",
        "write `segment` before the name of the segment",
        r"\1 segment \g<at>",
    ),
    (
        r"\b(in\s+segment\s+<name>\s+(?:or|and))\s+(<name>)(?P<at>)\s*$",
        "write `in segment` before each segment",
        r"\1 in segment \2",
    ),
    (
        r"\b(?P<at>in\s+segment)(?P<s>\s+<name>\s+)(?P<w><duration>\s+ago|on\s+<date>)",
        "ask for past membership with `was in segment`",
        r"was in segment\g<s>\g<w>",
    ),
    (
        r"\bin\s+segment(?P<s>\s+<name>\s+)(?P<at><duration>\s+ago|on\s+<date>)",
        "ask for past membership with `was in segment`",
        r"was in segment\g<s>\g<at>",
    ),
    (
        r"\b(in\s+(?:top|bottom)\s+<number>%?)\s+(?:(?:among|in|from)\s+)?(?P<s>(?!and\b|or\b|of\b|including\b|percent\b|pct\b|%)<name>)",
        "write `of` before the segment of a rank",
        r"\1 of \g<s>",
    ),
    (r"(?<!in )\b(?P<at>(top|bottom)\s+<number>%?)", "write `in` before `top` or `bottom`", r"in \g<at>"),
    (
        r"(quintile|decile|percentile)(\([^()\n]*?)\s+(?P<at>of|in)\s+(<name>)\)",
        "write `among` before the segment of a quintile, decile or percentile",
        r"\1\2 among \4)",
    ),
    (
        r"\bsample\s+(?P<at>(?P<n>\d{1,3}(?:\.\d+)?))(?!%)",
        "write a sample as a percentage, such as 10%",
        r"sample \g<n>%",
    ),
    (
        r"\bsample\s+(?P<at>0?(?P<n>\.\d+))",
        "write a sample as a percentage, such as 10%",
        lambda found: [f"sample {float(found['n']) * 100:g}%"],
    ),
    (r"\bseed\s+(?P<at>(?P<s>\w+))", "write a seed in quotes", r"seed '\g<s>'"),
    (
        r"\bwithin\s+(?P<at>(?P<n><number>))\s*(?P<u>km|m|kilometers?|metres?|meters?|公里|米)\s+of\b",
        "write a distance as a number and its unit, such as 3km",
        lambda found: [f"within {found['n']}{'km' if found['u'][0] in 'k公' else 'm'} of"],
    ),
    (
        r"\bwithin\s+(?P<at>(?P<n><number>))\s+of\b",
        "write the unit of the distance",
        r"within \g<n>km of",
        r"within \g<n>m of",
    ),
    (
        r"\bof\s+(?P<at>(?P<a>-?<number>))\s*,\s*(?P<b>-?<number>)",
        "write a point as (latitude, longitude), in brackets",
        r"of (\g<a>, \g<b>)",
    ),
    (r"\b(?:near|close\s+to|around)\s+(?=\(|<path>)", "say how near: write a distance", "within 3km of "),
    (r"\banniversary\s+(?P<at><path>)", "write `of` after `anniversary`", r"anniversary of \g<at>"),
    (
        r"\b(last|first)\s+(?P<e><name>)\s*(?=<cmp>|between\b|in\b|since\b|before\b)",
        "write how long ago as one word, such as last_order",
        r"\1_\g<e>",
    ),
    (r"(<cmp>\s*<duration>)\s+(?P<at>ago)\b", "remove `ago`: a recency already says how long ago", r"\1"),
    (
        r"(?P<p>\blast_\w+)\s+(?:before|earlier than|older than)\s+(?P<at>(?P<d><duration>))(?:\s+ago)?",
        "write longer ago as `>`",
        r"\g<p> > \g<d>",
    ),
    (r";\s*$", "remove the sign after the condition", ""),
    (
        r"\bif\s+(?P<at>(?P<a>\S[^\n]*?)\s+then\s+(?P<b>[^\n]+))$",
        "join the two conditions with `and` instead of `if` and `then`",
        r"\g<a> and \g<b>",
    ),
    (r"\bif\s+(?P<at>(?P<rest>\S[^\n]*))$", "remove `if` before the condition", r"\g<rest>"),
)
