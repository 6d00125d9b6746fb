"""Foreign syntax of events, their number of times and their filters."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.pattern import Match, compile_patterns

_NUMBER_WORDS = {"once": 1, "one": 1, "twice": 2, "two": 2, "thrice": 3, "three": 3, "four": 4, "five": 5, "ten": 10}
_AGGREGATES = {
    "total": "sum",
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "minimum": "min",
    "unique": "distinct",
    "count_distinct": "distinct",
    "number_of": "count",
}


def _bound_times(found: Match) -> Sequence[str]:
    """Turns `more than 3` into `at least 4`, and `fewer than 3` into `at most 2`."""
    sign, number = found["sign"].strip(), int(found["n"])
    if sign in ("more than", "over", ">", "超过"):
        return [f"at least {number + 1} times"]
    if sign in ("less than", "fewer than", "under", "<"):
        return [f"at most {max(number - 1, 0)} times"]
    bound = {">=": "at least", "<=": "at most", "no more than": "at most", "up to": "at most"}.get(sign, "exactly")
    return [f"{bound} {number} times"]


def _count_in_digits(found: Match) -> Sequence[str]:
    number = _NUMBER_WORDS[found["word"]]
    if found["bound"]:
        return [f"{found['bound'].strip()} {number} times"]
    return [f"{bound} {number} times" for bound in ("at least", "at most", "exactly")]


def _drop_past_tense(found: Match) -> Sequence[str]:
    """Turns `ordered` into `order`, and `scanned` into `scan`."""
    verb = found["verb"]
    return [f"did {verb[:-1] if verb[-1:] == verb[-2:-1] else verb}"]


def _add_filter_brackets(found: Match) -> Sequence[str]:
    return [f"where ({found['cond'].strip()}){found['rest']}"]


def _rename_call(found: Match) -> Sequence[str]:
    return [_AGGREGATES[found["name"]]]


def _lower_call(found: Match) -> Sequence[str]:
    return [found[0].lower()]


def _add_sequence_brackets(found: Match) -> Sequence[str]:
    return [f"({found['first']} then {found['rest']})"]


_DID_NOT_MESSAGE = "write what somebody did not do with `did not`"
_ORDER_MESSAGE = "write `where (...)` first, then the number of times, then the window"

EVENT_PATTERNS = compile_patterns(
    (
        r"\b(?:didn['’]?t|did\s?n['’]t|didnt|never\s+did|hasn['’]t|has\s+not|have\s+not|haven['’]t|never)\b",
        _DID_NOT_MESSAGE,
        "did not",
    ),
    (r"\bdid\s+(?P<at>never)\b", _DID_NOT_MESSAGE, "did not"),
    (r"\b(?:has|have|had)\s+(?P<at>(?P<verb>[^\W\d]\w+)ed)\b", "write what somebody did with `did`", _drop_past_tense),
    (
        r"\b(?:has|have|had)\s+(?P<at><name>)(?<!any)(?<!all)(?<!none)",
        "write what somebody did with `did`",
        r"did \g<at>",
    ),
    (r"\b(?:Did|DID)\b", "write keywords in lower case (G18)", "did"),
    (
        r"(?<!\S)(?P<at>(?P<sign>>=|<=|>|<|=|more than|over|less than|fewer than|under|no more than|up to)\s*"
        r"(?P<n><count>)\s+times?)\b",
        "write how often with `at least`, `at most` or `exactly` (E3)",
        _bound_times,
    ),
    (
        r"\b(?P<n><count>)\s*x\b",
        "this number of times is ambiguous: write `at least`, `at most` or `exactly` (E3)",
        lambda found: [f"{b} {found['n']} times" for b in ("at least", "at most", "exactly")],
    ),
    (
        r"(?P<bound>\b(?:at least|at most|exactly)\s+)?"
        r"\b(?P<at>(?P<word>once|twice|thrice|one|two|three|four|five|ten))(?:\s+times?)?\b",
        "write a number of times in digits (E3)",
        _count_in_digits,
    ),
    (r"\b(at least|at most|exactly)\s+(<count>)\s+time\b", "write `times`, also after 1", r"\1 \2 times"),
    (
        r"\b(at least|at most|exactly)\s+(<count>)\b(?!\s+(?:times|of))(\s*)",
        "write `times` after a number of times",
        r"\1 \2 times\3",
    ),
    (
        r"(where\s*\([^()\n]*?)\s+(?P<at>in\s+(?:last|this)\b)",
        "close the bracket of the filter before the window",
        r"\1) \g<at>",
    ),
    (
        r"where\s*\(([^()\n]*)\)\s*(?P<at>\()([^()\n]*)\)",
        "write all conditions on the event in one filter",
        r"where (\1 and \3)",
    ),
    (r"\bever\s+(?P<at>(?:in|since|before|between|on)\b)", "write one window, not two", r"\g<at>"),
    (r"\b(in\s+(?:last|this)\s+\w+)\s+(?P<at>ago)\b", "remove `ago`: the window already looks back", r"\1"),
    (
        r"\b(between\s+<duration>\s+and\s+<duration>)\s*$",
        "write `ago` after two durations that count back from now",
        r"\1 ago",
    ),
    (
        r"\bdid\s+(<name>)\s+before\s+(?P<at>(?P<d><duration>))(?:\s+ago\b)?",
        "say which event you mean: the first or the last",
        r"first_\1 > \g<d>",
        r"last_\1 > \g<d>",
    ),
    (
        r"(<path>)\s+(in\s+(?:last|this)\s+\w+)\s*(?P<at><cmp>)",
        "several events have several values: take their sum or their average",
        r"sum(\1 \2) \g<at>",
        r"avg(\1 \2) \g<at>",
    ),
    (r"(<path>)\s+(?P<at>ever)\b", "ask whether a value exists with `is known`", r"\1 is known"),
    (r"\b(at least|at most|exactly)\s+(?P<at>-)\s*\d+\s+times\b", "a number of times is at least 0", r"\1 0 times"),
    (
        r"(?<!\w)(?P<e><name>)\s+(?P<at><times>)",
        "write `did` before what somebody did",
        r"did \g<e> \g<at>",
    ),
    (r"(?P<t><times>|<window>)\s+(?P<at>(?P<w>where\s*\([^()]*\)))", _ORDER_MESSAGE, r"\g<w> \g<t>"),
    (r"(?P<v><window>)\s+(?P<at><times>)", _ORDER_MESSAGE, r"\g<at> \g<v>"),
    (r"(<name>)\s*\.\s*(?P<at>where)\s*\(", "write a space instead of the dot before `where`", r"\1 where ("),
    (
        r"\bwhere\s+(?P<at>(?P<cond>(?:(?!\b(?:and|or|in|ever|since|before|between|on|today|yesterday|at|exactly)\b)[^()\n])+?))(?P<rest>\s*(?:$|\)|\s(?=(?:and|or|in|ever|since|before|between|on|today|yesterday|at|exactly)\b)))",
        "write the filter in brackets",
        _add_filter_brackets,
    ),
    (
        r"(?P<e><name>)\s+(?P<at>with|having|that|whose|which)\s+(?P<c><path>\s*<cmp>\s*<value>)",
        "filter events with `where (...)`",
        r"\g<e> where (\g<c>)",
    ),
    (
        r"(?P<first><name>)\s+(?P<at>then)\s+(?P<rest>(?:(?!\b(?:and|or|in|ever|by)\b)[^()\n])+?)(?=\s*(?:$|\s(?:and|or|in|ever|by)\b))",
        "write a sequence in brackets",
        _add_sequence_brackets,
    ),
    (r"\(\s*(<name>)\s*(?P<at>,)\s*(<name>)\s*\)", "join the steps of a sequence with `then`", r"(\1 then \3)"),
    (r"\b(?P<at>followed\s+by|and\s+then)\b", "join the steps of a sequence with `then`", "then"),
    (
        r"(?P<at>\b(?P<f>count|sum|avg|median|distinct|most|latest|earliest)\s+(?P<p><path>))",
        "write the argument of an aggregate in brackets",
        r"\g<f>(\g<p>)",
    ),
    (
        r"\b(?P<f>count|sum|avg|median|distinct|most|latest|earliest)\s+(?P<at><path>)",
        "write the argument of an aggregate in brackets",
        r"\g<f>(\g<at>)",
    ),
    (
        r"\b(?P<name>total|average|mean|maximum|minimum|unique|count_distinct|number_of)(?=\()",
        "this aggregate has another name in a rule",
        _rename_call,
    ),
    (
        r"\b(?:COUNT|SUM|AVG|MIN|MAX|MEDIAN|DISTINCT|DAYS|EARLIEST|LATEST|MOST|Count|Sum|Avg|Min|Max)(?=\()",
        "write keywords in lower case (G18)",
        _lower_call,
    ),
    (
        r"(<fn>)\(([^()\n]*)\)\s+(in\s+(?:last|this)\s+[\w ]+?)\s*(?P<at><cmp>)",
        "write the window inside the brackets",
        r"\1(\2 \3) \g<at>",
    ),
    (
        r"(<fn>)\(([^()\n]*)\)\s*(<cmp>)\s*(<value>)\s+"
        r"(?P<at>in\s+(?:last|this)\s+[\w ]+?)(?=\s*(?:$|\)|\band\b|\bor\b))",
        "write the window inside the brackets",
        r"\1(\2 \g<at>) \3 \4",
    ),
    (
        r"(<path>)\s*(?P<at>,)\s*(?:in\s+)?(last\s+<duration>)",
        "write the window after the event, without a comma",
        r"\1 in \3",
    ),
)
