"""What people did, counted and filtered, written in another way."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.slip import Match, compile_patterns

_WORDS = {"once": 1, "one": 1, "twice": 2, "two": 2, "thrice": 3, "three": 3, "four": 4, "five": 5, "ten": 10}
_CALLS = {
    "total": "sum",
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "minimum": "min",
    "unique": "distinct",
    "count_distinct": "distinct",
    "number_of": "count",
}


def _times(found: Match) -> Sequence[str]:
    """`more than 3` is at least 4, `fewer than 3` at most 2."""
    sign, number = found["sign"].strip(), int(found["n"])
    if sign in ("more than", "over", ">", "超过"):
        return [f"at least {number + 1} times"]
    if sign in ("less than", "fewer than", "under", "<"):
        return [f"at most {max(number - 1, 0)} times"]
    bound = {">=": "at least", "<=": "at most", "no more than": "at most", "up to": "at most"}.get(sign, "exactly")
    return [f"{bound} {number} times"]


def _spelled_times(found: Match) -> Sequence[str]:
    number = _WORDS[found["word"]]
    if found["bound"]:
        return [f"{found['bound'].strip()} {number} times"]
    return [f"{bound} {number} times" for bound in ("at least", "at most", "exactly")]


def _past(found: Match) -> Sequence[str]:
    """`has ordered`, `has scanned`"""
    verb = found["verb"]
    return [f"did {verb[:-1] if verb[-1:] == verb[-2:-1] else verb}"]


def _filter(found: Match) -> Sequence[str]:
    return [f"where ({found['cond'].strip()}){found['rest']}"]


def _call(found: Match) -> Sequence[str]:
    return [_CALLS[found["name"]]]


def _lower_call(found: Match) -> Sequence[str]:
    return [found[0].lower()]


def _first_step(found: Match) -> Sequence[str]:
    return [f"({found['first']} then {found['rest']})"]


_DENIED = "what somebody did not do is written `did not`"
_ORDER = "first `where (...)`, then the number of times, then the window"

EVENT_PATTERNS = compile_patterns(
    (
        r"\b(?:didn['’]?t|did\s?n['’]t|didnt|never\s+did|hasn['’]t|has\s+not|have\s+not|haven['’]t|never)\b",
        _DENIED,
        "did not",
    ),
    (r"\bdid\s+(?P<at>never)\b", _DENIED, "did not"),
    (r"\b(?:has|have|had)\s+(?P<at>(?P<verb>[^\W\d]\w+)ed)\b", "what somebody did is written `did`", _past),
    (
        r"\b(?:has|have|had)\s+(?P<at><name>)(?<!any)(?<!all)(?<!none)",
        "what somebody did is written `did`",
        r"did \g<at>",
    ),
    (r"\b(?:Did|DID)\b", "words of the language are in lower case (G18)", "did"),
    (
        r"(?<!\S)(?P<at>(?P<sign>>=|<=|>|<|=|more than|over|less than|fewer than|under|no more than|up to)\s*"
        r"(?P<n><count>)\s+times?)\b",
        "how often is `at least`, `at most` or `exactly` (E3)",
        _times,
    ),
    (
        r"\b(?P<n><count>)\s*x\b",
        "how often has three readings (E3)",
        lambda found: [f"{b} {found['n']} times" for b in ("at least", "at most", "exactly")],
    ),
    (
        r"(?P<bound>\b(?:at least|at most|exactly)\s+)?"
        r"\b(?P<at>(?P<word>once|twice|thrice|one|two|three|four|five|ten))(?:\s+times?)?\b",
        "a number of times is written in digits (E3)",
        _spelled_times,
    ),
    (r"\b(at least|at most|exactly)\s+(<count>)\s+time\b", "it is `times`, of one too", r"\1 \2 times"),
    (
        r"\b(at least|at most|exactly)\s+(<count>)\b(?!\s+(?:times|of))(\s*)",
        "a number of times ends with `times`",
        r"\1 \2 times\3",
    ),
    (r"(where\s*\([^()\n]*?)\s+(?P<at>in\s+(?:last|this)\b)", "the filter's bracket is not closed", r"\1) \g<at>"),
    (
        r"where\s*\(([^()\n]*)\)\s*(?P<at>\()([^()\n]*)\)",
        "one filter holds all that is asked of the event",
        r"where (\1 and \3)",
    ),
    (r"\bever\s+(?P<at>(?:in|since|before|between|on)\b)", "one window, not two", r"\g<at>"),
    (r"\b(in\s+(?:last|this)\s+\w+)\s+(?P<at>ago)\b", "a window is not `ago`", r"\1"),
    (r"\b(between\s+<duration>\s+and\s+<duration>)\s*$", "durations count back from now with `ago`", r"\1 ago"),
    (
        r"\bdid\s+(<name>)\s+before\s+(?P<at>(?P<d><duration>))(?:\s+ago\b)?",
        "of which? the first one, or the last one",
        r"first_\1 > \g<d>",
        r"last_\1 > \g<d>",
    ),
    (
        r"(<path>)\s+(in\s+(?:last|this)\s+\w+)\s*(?P<at><cmp>)",
        "of several events: their sum, or their mean",
        r"sum(\1 \2) \g<at>",
        r"avg(\1 \2) \g<at>",
    ),
    (r"(<path>)\s+(?P<at>ever)\b", "whether there is a value at all is `is known`", r"\1 is known"),
    (r"\b(at least|at most|exactly)\s+(?P<at>-)\s*\d+\s+times\b", "nothing happens fewer than 0 times", r"\1 0 times"),
    (
        r"(?<!\w)(?P<e><name>)\s+(?P<at><times>)",
        "what somebody did begins with `did`",
        r"did \g<e> \g<at>",
    ),
    (r"(?P<t><times>|<window>)\s+(?P<at>(?P<w>where\s*\([^()]*\)))", _ORDER, r"\g<w> \g<t>"),
    (r"(?P<v><window>)\s+(?P<at><times>)", _ORDER, r"\g<at> \g<v>"),
    (r"(<name>)\s*\.\s*(?P<at>where)\s*\(", "`where` stands apart from the event", r"\1 where ("),
    (
        r"\bwhere\s+(?P<at>(?P<cond>(?:(?!\b(?:and|or|in|ever|since|before|between|on|today|yesterday|at|exactly)\b)[^()\n])+?))(?P<rest>\s*(?:$|\)|\s(?=(?:and|or|in|ever|since|before|between|on|today|yesterday|at|exactly)\b)))",
        "the filter stands in brackets",
        _filter,
    ),
    (
        r"(?P<e><name>)\s+(?P<at>with|having|that|whose|which)\s+(?P<c><path>\s*<cmp>\s*<value>)",
        "events are filtered by `where (...)`",
        r"\g<e> where (\g<c>)",
    ),
    (
        r"(?P<first><name>)\s+(?P<at>then)\s+(?P<rest>(?:(?!\b(?:and|or|in|ever|by)\b)[^()\n])+?)(?=\s*(?:$|\s(?:and|or|in|ever|by)\b))",
        "a sequence stands in brackets",
        _first_step,
    ),
    (r"\(\s*(<name>)\s*(?P<at>,)\s*(<name>)\s*\)", "steps are joined by `then`, one after another", r"(\1 then \3)"),
    (r"\b(?P<at>followed\s+by|and\s+then)\b", "one step after another is joined by `then`", "then"),
    (
        r"(?P<at>\b(?P<f>count|sum|avg|median|distinct|most|latest|earliest)\s+(?P<p><path>))",
        "a number is of something in brackets",
        r"\g<f>(\g<p>)",
    ),
    (
        r"\b(?P<f>count|sum|avg|median|distinct|most|latest|earliest)\s+(?P<at><path>)",
        "a number is of something in brackets",
        r"\g<f>(\g<at>)",
    ),
    (
        r"\b(?P<name>total|average|mean|maximum|minimum|unique|count_distinct|number_of)(?=\()",
        "this number has another name here",
        _call,
    ),
    (
        r"\b(?:COUNT|SUM|AVG|MIN|MAX|MEDIAN|DISTINCT|DAYS|EARLIEST|LATEST|MOST|Count|Sum|Avg|Min|Max)(?=\()",
        "words of the language are in lower case (G18)",
        _lower_call,
    ),
    (
        r"(<fn>)\(([^()\n]*)\)\s+(in\s+(?:last|this)\s+[\w ]+?)\s*(?P<at><cmp>)",
        "the window stands inside the brackets",
        r"\1(\2 \3) \g<at>",
    ),
    (
        r"(<fn>)\(([^()\n]*)\)\s*(<cmp>)\s*(<value>)\s+"
        r"(?P<at>in\s+(?:last|this)\s+[\w ]+?)(?=\s*(?:$|\)|\band\b|\bor\b))",
        "the window stands inside the brackets",
        r"\1(\2 \g<at>) \3 \4",
    ),
    (
        r"(<path>)\s*(?P<at>,)\s*(?:in\s+)?(last\s+<duration>)",
        "the window stands after the event, without a comma",
        r"\1 in \3",
    ),
)
