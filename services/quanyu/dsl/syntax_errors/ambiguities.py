"""Finds texts that look right but are ambiguous or nearly right, and suggests each possible meaning.

None of these texts parses. Each check returns an error with its suggestions, or None if the text is of another kind.
The numbers in brackets name the points of docs/rules/semantics.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from quanyu.dsl.errors import RuleError
from quanyu.dsl.syntax import ELAPSED_MS
from quanyu.dsl.syntax_errors.token_context import (
    CONDITION_ENDS,
    CONDITION_STARTS,
    CONNECTIVES,
    OPERATORS,
    TokenContext,
)

_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_UNIT_WORDS = {"hour": "h", "hr": "h", "minute": "min", "mins": "min", "day": "d", "week": "w"}
_COMPARISONS = ("CMP", "EQUAL")
_MAX_REPEATED_TOKENS = 200  # A longer text gets no suggestion that repeats it.


def find_ambiguity(context: TokenContext) -> RuleError | None:
    """Returns the error of the first check that recognizes the text; None if no check does."""
    return next((error for check in _CHECKS if (error := check(context)) is not None), None)


# --- logic --------------------------------------------------------------------------------------


def _check_mixed_connectives(context: TokenContext) -> RuleError | None:
    """`a and b or c` (G5)"""
    if context.kind() not in CONNECTIVES:
        return None
    start = context.find_start(CONDITION_STARTS)
    joined = context.find_connectives(start, context.at)
    if not joined or context.tokens[joined[-1]].type == context.kind():
        return None
    end = context.find_end(context.at + 1, CONDITION_ENDS)
    joined = context.find_connectives(start, end)
    offers = (_add_brackets(context, start, end, joined, inner) for inner in _list_kinds(context, joined))
    return context.error("`and` and `or` do not mix without brackets (G5)", *offers)


def _list_kinds(context: TokenContext, joined: Sequence[int]) -> list[str]:
    """Returns AND and OR in the order of the text; nothing if the text is too long for a suggestion."""
    if joined[-1] - joined[0] > _MAX_REPEATED_TOKENS:
        return []
    return list(dict.fromkeys(context.tokens[n].type for n in joined))


def _add_brackets(context: TokenContext, start: int, end: int, joined: Sequence[int], inner: str) -> str:
    """Returns the chain of conditions with brackets around the conditions that `inner` joins."""
    ends = [n for n in joined if context.tokens[n].type != inner] + [end]
    text, begin = "", start
    for n in ends:
        group = context.text_between(begin, n)
        is_joined = any(begin <= connective < n for connective in joined)
        text += f"({group})" if is_joined else group
        text += f" {context.word(n - context.at)} " if n < end else ""
        begin = n + 1
    return text


def _check_not_including_unknown(context: TokenContext) -> RuleError | None:
    """`not a = 1 including unknown` (G4)"""
    if context.kind() != "_INCLUDING_UNKNOWN":
        return None
    start = context.find_start((*CONNECTIVES, *CONDITION_STARTS))
    if context.tokens[start].type != "NOT":
        return None
    inner = context.text_between(start + 1, context.at)
    message = "`not` and `including unknown` do not mix without brackets (G4)"
    return context.error(message, f"not ({inner} including unknown)", f"(not {inner}) including unknown")


def _check_default_beside_operator(context: TokenContext) -> RuleError | None:
    """`a + b default 0`, `a = b default 0` (G15)"""
    if context.kind() != "DEFAULT":
        return None
    boundary = (*_COMPARISONS, *CONNECTIVES, "NOT", "BETWEEN", *CONDITION_STARTS)
    start = context.find_start(boundary)
    default = f"default {context.text_between(context.at + 1, _find_value_end(context, context.at + 1))}"
    operand = context.find_start((*boundary, *OPERATORS))
    last = context.text_between(operand, context.at)
    if operand > start:
        whole, before = context.text_between(start, context.at), context.text_between(start, operand)
        offers = (f"({whole}) {default}", f"{before} ({last} {default})")
    elif start > 0 and context.tokens[start - 1].type in _COMPARISONS:
        sign = context.text_of(context.tokens[start - 1])
        left_start = TokenContext(context.text, context.tokens, start - 1).find_start(boundary)
        left = context.text_between(left_start, start - 1)
        offers = (f"{left} {sign} ({last} {default})", f"({left} {default}) {sign} {last}")
    else:
        return None
    return context.error("write brackets around `default` beside another operator (G15)", *offers)


def _find_value_end(context: TokenContext, start: int) -> int:
    """Returns the index after the value that begins at `start`: brackets, a call or a path."""
    n = start
    while n < len(context.tokens) and context.tokens[n].type in ("NAME", "DOT", "VERSION", "AGG", "TILE", "MINUS"):
        n += 1
    if n < len(context.tokens) and context.tokens[n].type == "LPAR":
        return context.find_end(n + 1, ()) + 1
    return max(n, start + 1)


def _check_doubled_operator(context: TokenContext) -> RuleError | None:
    """`==`, `<>`"""
    pair = context.word(-1) + context.word()
    meant = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">="}.get(pair)
    return context.error(f"write `{pair}` as `{meant}`", meant, offset=-1) if meant else None


# --- numbers and units --------------------------------------------------------------------------


def _check_bare_times(context: TokenContext) -> RuleError | None:
    """`did order 3 times` (E3)"""
    if context.kind() != "NUMBER" or context.kind(1) != "TIMES":
        return None
    count, times = context.word(), context.word(1)
    bounds = ("at least", "at most", "exactly") if times.isascii() else ("至少", "至多", "恰好")
    message = f"`{count} {times}` is ambiguous: write {', '.join(f'`{b}`' for b in bounds[:2])} or `{bounds[2]}` (E3)"
    return context.error(message, *(f"{bound} {count} {times}" for bound in bounds))


def _check_bare_units(context: TokenContext) -> RuleError | None:
    """`30 days`, `1 month`, `30 天` (G12, G14)"""
    if context.kind() != "UNIT" or context.kind(-1) != "NUMBER":
        return None
    number, word = context.word(-1), context.word()
    unit = str(context.tokens[context.at]).removesuffix("s")
    plural = word if not word.isascii() else unit + ("" if number == "1" else "s")
    calendar = f"{number} {'自然' if not word.isascii() else 'calendar'} {plural}"
    elapsed = f"{(Decimal(number) * _DAYS[unit]).normalize():f}d"
    offers = [elapsed, calendar] if unit in ("day", "week") else [calendar, elapsed]
    if context.kind(-3) == "OF":  # `in at least 3 of last 4 weeks`
        offers = [calendar]
    elif context.kind(-2) in (*_COMPARISONS, "BETWEEN"):  # a comparison with a duration
        offers = [elapsed]
    message = f"`{number} {word}` is ambiguous: it can mean elapsed time or whole local {unit}s (G12)"
    return context.error(message, *offers, offset=-1)


def _check_metres_as_time(context: TokenContext) -> RuleError | None:
    """`in last 90m` (G12)"""
    word = context.word()
    if context.kind() != "DIST" or not word.endswith("m") or word.endswith("km"):
        return None
    number = word[:-1]
    months = int(number) // 30 if number.isdigit() and int(number) % 30 == 0 and number != "0" else number
    message = f"`{word}` is a distance; as a time it is ambiguous: it can mean minutes or months (G12)"
    return context.error(message, f"{number}min", f"{months} calendar month{'' if str(months) == '1' else 's'}")


def _check_split_duration(context: TokenContext) -> RuleError | None:
    """`1.5h`, `1h30min`, `90 min`, `2 hours` (G12)"""
    if context.kind() != "NAME" or context.kind(-1) != "NUMBER":
        return None
    text = context.word(-1) + context.word()
    parts = re.findall(r"(\d+(?:\.\d+)?)([a-z]+)", text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    units = [_UNIT_WORDS.get(unit.removesuffix("s"), unit) for _, unit in parts]
    if any(unit not in ELAPSED_MS for unit in units):
        return None
    ms = sum(Decimal(number) * ELAPSED_MS[unit] for (number, _), unit in zip(parts, units, strict=True))
    unit = next((u for u in (units[-1], "h", "min") if ms and ms % ELAPSED_MS[u] == 0), None)
    offers = [f"{int(ms / ELAPSED_MS[unit])}{unit}"] if unit else []
    message = "write a duration as one whole number and its unit, without a space (G12)"
    return context.error(message, *offers, offset=-1)


def _check_number_format(context: TokenContext) -> RuleError | None:
    """`1,000`, `1e3` (G12)"""
    grouped = context.word(-1) + context.word() + context.word(1)
    if context.kind() == "COMMA" and re.fullmatch(r"\d{1,3},\d{3}(\.\d+)?", grouped):
        return context.error("write a number without commas (G12)", grouped.replace(",", ""), offset=-1)
    power = context.word(-1) + context.word()
    if context.kind(-1) == "NUMBER" and re.fullmatch(r"[\d.]+[eE]\d{1,2}", power):
        return context.error("write all digits of a number (G12)", f"{Decimal(power):f}", offset=-1)
    return None


def _check_month_as_difference(context: TokenContext) -> RuleError | None:
    """`1000-10` (G12)"""
    if context.kind() != "MONTH":
        return None
    month = context.word()
    message = f"`{month}` is a month: write a difference with spaces, and a month after `in` (G12)"
    return context.error(message, month.replace("-", " - "), f"in {month}")


# --- windows and events -------------------------------------------------------------------------


def _check_future_events(context: TokenContext) -> RuleError | None:
    """`did order in next 7d`, `did order tomorrow` (T1)"""
    message = "nobody knows future events: write a window that looks back (T1)"
    if context.kind() == "NEXT":
        end = context.find_end(context.at + 1, (*CONNECTIVES, *CONDITION_STARTS))
        return context.error(message, f"last {context.text_between(context.at + 1, end)}")
    if context.kind() == "TOMORROW" and context.kind(-1) not in ("SINCE", "BEFORE", *_COMPARISONS):
        return context.error(message, "yesterday", "today")
    return None


def _check_elapsed_anniversary(context: TokenContext) -> RuleError | None:
    """`anniversary of birthday in next 7d`, `anniversary of birthday ever` (T16, G9)"""
    start = context.find_start((*CONNECTIVES, *CONDITION_STARTS))
    if all(token.type != "_ANNIVERSARY" for token in context.tokens[start : context.at]):
        return None
    if context.kind() == "DUR":
        unit = re.sub(r"\d", "", context.word())
        days = -(-int(context.word().removesuffix(unit)) * ELAPSED_MS[unit] // ELAPSED_MS["d"])
        message = "an anniversary falls on a whole day: write calendar days instead of elapsed time (T16)"
        return context.error(message, f"{context.word(-1)} {days} calendar day{'' if days == 1 else 's'}")
    if context.kind() == "EVER":
        message = "an anniversary comes every year: write a window instead of `ever` (G9)"
        return context.error(message, "in next 7 calendar days")
    return None


def _check_first_time_counted(context: TokenContext) -> RuleError | None:
    """`for the first time exactly 3 times` (G9)"""
    counts = ("_AT_LEAST", "_AT_MOST", "_EXACTLY", "NUMBER")
    is_before_count = context.kind(-1) == "_FIRST_TIME" and context.kind() in counts
    is_after_count = context.kind() == "_FIRST_TIME" and context.kind(-1) == "TIMES"
    if is_before_count or is_after_count:
        return context.error("`for the first time` takes no number of times (G9)", "for the first time")
    return None


def _check_past_membership(context: TokenContext) -> RuleError | None:
    """`entered segment vip`, `was in segment vip`, `was not in segment vip` (G19)"""
    segment = context.at - (2 if context.kind(-1) == "VERSION" else 1)
    keyword = context.tokens[segment - 1].type if segment > 0 else ""
    clause = context.text_between(segment - 1, context.at) if segment > 0 else ""
    if keyword in ("_ENTERED", "_LEFT"):
        message = "`entered` and `left` need a window (G19)"
        return context.error(message, f"{clause} in last 7d", f"{clause} in last month")
    if keyword == "_WAS_IN_SEGMENT":
        message = "`was in segment` needs a time: write `ago` or `on` (G19)"
        return context.error(message, f"{clause} 30d ago", f"{clause} on 2026-01-31")
    if context.kind() == "_IN_SEGMENT" and context.word(-1) in ("not", "不", "非") and context.word(-2) == "was":
        end = context.find_end(context.at, (*CONNECTIVES, *CONDITION_STARTS))
        rest = context.text_between(context.at, end)
        return context.error("write `not` before `was in segment` (G19)", f"not was {rest}", offset=-1)
    return None


def _check_filtered_step(context: TokenContext) -> RuleError | None:
    """`define d = order or scan where (...)` (G17)"""
    start = context.find_start(("EQUAL",))
    if context.kind() != "WHERE" or start < 2 or context.tokens[start - 1].type != "EQUAL":
        return None
    if not any(token.type == "OR" for token in context.tokens[start : context.at]):
        return None
    message = "write brackets around a filtered step among several steps (G17)"
    if context.at - start > _MAX_REPEATED_TOKENS:
        return context.error(message)
    last = context.find_start(("OR", "EQUAL"))
    where = context.text_between(context.at, context.find_end(context.at + 2, ()) + 1)
    before, step = context.text_between(start, last), context.text_between(last, context.at)
    all_steps = " or ".join(f"({name.strip()} {where})" for name in re.split(r"\bor\b", f"{before} {step}"))
    return context.error(message, f"{before} ({step} {where})", all_steps)


# The first check that recognizes the text decides, so the order matters.
_CHECKS = (
    _check_mixed_connectives,
    _check_not_including_unknown,
    _check_bare_times,
    _check_elapsed_anniversary,
    _check_bare_units,
    _check_split_duration,
    _check_number_format,
    _check_metres_as_time,
    _check_month_as_difference,
    _check_default_beside_operator,
    _check_future_events,
    _check_first_time_counted,
    _check_past_membership,
    _check_filtered_step,
    _check_doubled_operator,
)
