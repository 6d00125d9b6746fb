"""Texts that people write and that have two readings, or a near one: none of them parses, each offers what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from lark import Token

from quanyu.dsl.errors import RuleError
from quanyu.dsl.syntax import ELAPSED_MS

_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_SPELLED = {"hour": "h", "hr": "h", "minute": "min", "mins": "min", "day": "d", "week": "w"}
_OPEN, _CLOSE = ("LPAR", "LSQB", "LBRACE"), ("RPAR", "RSQB", "RBRACE")
ENDS = ("SEMICOLON", "DEFINE", "METRIC", "SEGMENT", "TAG", "TEST", "USE")
STARTS = ("COLON", "WHEN", *ENDS)
_OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH")
_READ_TWICE = 200  # tokens of a text that is offered again as a whole


class Reader:
    """The tokens around the one that cannot stand where it stands (`at`; past the last: the text ends too early)."""

    def __init__(self, text: str, tokens: Sequence[Token], at: int) -> None:
        self.text, self.tokens, self.at = text, tokens, at

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def kind(self, offset: int = 0) -> str:
        n = self.at + offset
        return self.tokens[n].type if 0 <= n < len(self.tokens) else ""

    def word(self, offset: int = 0) -> str:
        n = self.at + offset
        return self.source(self.tokens[n]) if 0 <= n < len(self.tokens) else ""

    def source(self, token: Token) -> str:
        return self.text[token.start_pos : token.end_pos]

    def between(self, first: int, end: int) -> str:
        """The text of tokens first to end, end excluded."""
        end = min(end, len(self.tokens))
        if first >= end:
            return ""
        return self.text[self.tokens[first].start_pos : self.tokens[end - 1].end_pos]

    def error(self, message: str, *offers: str, offset: int = 0, begin: int | None = None) -> RuleError:
        """At the wrong token, one beside it, or the token `begin`."""
        n = self.at + offset if begin is None else begin
        if n < len(self.tokens):
            token = self.tokens[n]
            return RuleError(message, token.line or 1, token.column or 1, "syntax", offers)
        line = self.text.count("\n") + 1
        return RuleError(message, line, len(self.text) - self.text.rfind("\n"), "syntax", offers)

    def back(self, stop: Sequence[str]) -> int:
        """The first token after the nearest one before `at` that is of a kind in `stop`, or that opens this bracket."""
        depth = 0
        for n in range(self.at - 1, -1, -1):
            kind = self.tokens[n].type
            depth += (kind in _CLOSE) - (kind in _OPEN)
            if depth < 0 or (depth == 0 and kind in stop):
                return n + 1
        return 0

    def forth(self, start: int, stop: Sequence[str]) -> int:
        """The first token from `start` on of a kind in `stop`, or that closes this bracket, or the end."""
        depth = 0
        for n in range(start, len(self.tokens)):
            kind = self.tokens[n].type
            if depth == 0 and (kind in _CLOSE or kind in stop):
                return n
            depth += (kind in _OPEN) - (kind in _CLOSE)
        return len(self.tokens)

    def connectives(self, start: int, end: int) -> list[int]:
        """The `and` and `or` outside brackets that join conditions, not the ends of a `between`."""
        found, depth, open_between = [], 0, False
        for n in range(start, end):
            kind = self.tokens[n].type
            depth += (kind in _OPEN) - (kind in _CLOSE)
            if depth == 0 and kind == "BETWEEN":
                open_between = True
            elif depth == 0 and kind in ("AND", "OR"):
                if not open_between:
                    found.append(n)
                open_between = False
        return found


def find_ambiguity(reader: Reader) -> RuleError | None:
    """The error of the first known confusion that the text fits."""
    return next((error for know in _KNOWN if (error := know(reader)) is not None), None)


def _mixed(reader: Reader) -> RuleError | None:
    """G5"""
    if reader.kind() not in ("AND", "OR"):
        return None
    start = reader.back(STARTS)
    joined = reader.connectives(start, reader.at)
    if not joined or reader.tokens[joined[-1]].type == reader.kind():
        return None
    end = reader.forth(reader.at + 1, ENDS)
    joined = reader.connectives(start, end)
    message = "`and` and `or` do not mix without brackets (G5)"
    return reader.error(message, *(_bracketed(reader, start, end, joined, inner) for inner in _kinds(reader, joined)))


def _kinds(reader: Reader, joined: Sequence[int]) -> list[str]:
    """AND and OR, the one that stands first first; none for a text so long that nobody reads it twice."""
    if joined[-1] - joined[0] > _READ_TWICE:
        return []
    return list(dict.fromkeys(reader.tokens[n].type for n in joined))


def _bracketed(reader: Reader, start: int, end: int, joined: Sequence[int], inner: str) -> str:
    """The chain with brackets round what is joined by `inner`."""
    ends = [n for n in joined if reader.tokens[n].type != inner] + [end]
    text, begin = "", start
    for n in ends:
        group = reader.between(begin, n)
        is_joined = any(begin <= of < n for of in joined)
        text += f"({group})" if is_joined else group
        text += f" {reader.word(n - reader.at)} " if n < end else ""
        begin = n + 1
    return text


def _not_or_unknown(reader: Reader) -> RuleError | None:
    """G4"""
    if reader.kind() != "_INCLUDING_UNKNOWN":
        return None
    start = reader.back(("AND", "OR", *STARTS))
    if reader.tokens[start].type != "NOT":
        return None
    inner = reader.between(start + 1, reader.at)
    message = "`not` and `including unknown` do not mix without brackets (G4)"
    return reader.error(message, f"not ({inner} including unknown)", f"(not {inner}) including unknown")


def _bare_times(reader: Reader) -> RuleError | None:
    """E3"""
    if reader.kind() != "NUMBER" or reader.kind(1) != "TIMES":
        return None
    count = reader.word()
    is_chinese = not reader.word(1).isascii()
    bounds = ("至少", "至多", "恰好") if is_chinese else ("at least", "at most", "exactly")
    offers = [f"{bound} {count} {reader.word(1)}" for bound in bounds]
    return reader.error(f"`{count} {reader.word(1)}` has three readings (E3)", *offers)


def _bare_units(reader: Reader) -> RuleError | None:
    """G12, G14: `30 days`, `1 month`, `30 天`."""
    if reader.kind() != "UNIT" or reader.kind(-1) != "NUMBER":
        return None
    number, written = reader.word(-1), reader.word()
    unit = str(reader.tokens[reader.at]).removesuffix("s")
    plural = written if not written.isascii() else unit + ("" if number == "1" else "s")
    calendar = f"{number} {'自然' if not written.isascii() else 'calendar'} {plural}"
    elapsed = f"{(Decimal(number) * _DAYS[unit]).normalize():f}d"
    offers = [elapsed, calendar] if unit in ("day", "week") else [calendar, elapsed]
    if reader.kind(-3) == "OF":  # `in at least 3 of last 4 weeks`
        offers = [calendar]
    elif reader.kind(-2) in ("CMP", "EQUAL", "BETWEEN"):  # a length, compared
        offers = [elapsed]
    message = f"`{number} {written}` has two readings: elapsed time, or whole local {unit}s (G12)"
    return reader.error(message, *offers, offset=-1)


def _metres_for_time(reader: Reader) -> RuleError | None:
    """G12: `in last 90m`"""
    if reader.kind() != "DIST" or not reader.word().endswith("m") or reader.word().endswith("km"):
        return None
    number = reader.word()[:-1]
    months = int(number) // 30 if number.isdigit() and int(number) % 30 == 0 and number != "0" else number
    message = f"`{reader.word()}` is a distance; of time it has two readings (G12)"
    return reader.error(message, f"{number}min", f"{months} calendar month{'' if str(months) == '1' else 's'}")


def _split_duration(reader: Reader) -> RuleError | None:
    """G12: `1.5h`, `1h30min`, `90 min`, `2 hours`"""
    if reader.kind() != "NAME" or reader.kind(-1) != "NUMBER":
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)([a-z]+)", reader.word(-1) + reader.word())
    if "".join(number + unit for number, unit in parts) != reader.word(-1) + reader.word():
        return None
    units = [_SPELLED.get(unit.removesuffix("s"), unit) for _, unit in parts]
    if any(unit not in ELAPSED_MS for unit in units):
        return None
    ms = sum(Decimal(number) * ELAPSED_MS[unit] for (number, _), unit in zip(parts, units, strict=True))
    unit = next((u for u in (units[-1], "h", "min") if ms and ms % ELAPSED_MS[u] == 0), None)
    offers = [f"{int(ms / ELAPSED_MS[unit])}{unit}"] if unit else []
    return reader.error("a duration is one whole number with its unit, without a space (G12)", *offers, offset=-1)


def _grouped_number(reader: Reader) -> RuleError | None:
    """G12: `1,000`, `1e3`"""
    whole = reader.word(-1) + reader.word() + reader.word(1)
    if reader.kind() == "COMMA" and re.fullmatch(r"\d{1,3},\d{3}(\.\d+)?", whole):
        return reader.error("digits are not grouped (G12)", whole.replace(",", ""), offset=-1)
    power = reader.word(-1) + reader.word()
    if reader.kind(-1) == "NUMBER" and re.fullmatch(r"[\d.]+[eE]\d{1,2}", power):
        return reader.error("numbers are written out (G12)", f"{Decimal(power):f}", offset=-1)
    return None


def _month_for_difference(reader: Reader) -> RuleError | None:
    """G12: `1000-10`"""
    if reader.kind() != "MONTH":
        return None
    month = reader.word()
    message = f"`{month}` is a month, and stands after `in`; a difference has spaces (G12)"
    return reader.error(message, month.replace("-", " - "), f"in {month}")


def _default_beside(reader: Reader) -> RuleError | None:
    """G15"""
    if reader.kind() != "DEFAULT":
        return None
    boundary = ("CMP", "EQUAL", "AND", "OR", "NOT", "BETWEEN", *STARTS)
    start = reader.back(boundary)
    other = f"default {reader.between(reader.at + 1, _base_end(reader, reader.at + 1))}"
    operand = reader.back((*boundary, *_OPERATORS))
    last = reader.between(operand, reader.at)
    if operand > start:
        whole, before = reader.between(start, reader.at), reader.between(start, operand)
        offers = (f"({whole}) {other}", f"{before} ({last} {other})")
    elif start > 0 and reader.tokens[start - 1].type in ("CMP", "EQUAL"):
        sign = reader.source(reader.tokens[start - 1])
        left = reader.between(Reader(reader.text, reader.tokens, start - 1).back(boundary), start - 1)
        offers = (f"{left} {sign} ({last} {other})", f"({left} {other}) {sign} {last}")
    else:
        return None
    return reader.error("`default` stands alone: beside another sign it needs brackets (G15)", *offers)


def _base_end(reader: Reader, start: int) -> int:
    """Where the value that begins at `start` ends: a bracket, a call, a path."""
    n = start
    while n < len(reader.tokens) and reader.tokens[n].type in ("NAME", "DOT", "VERSION", "AGG", "TILE", "MINUS"):
        n += 1
    if n < len(reader.tokens) and reader.tokens[n].type == "LPAR":
        return reader.forth(n + 1, ()) + 1
    return max(n, start + 1)


def _future_events(reader: Reader) -> RuleError | None:
    """T1"""
    if reader.kind() not in ("NEXT", "TOMORROW"):
        return None
    if reader.kind() == "TOMORROW" and reader.kind(-1) not in ("SINCE", "BEFORE", "CMP", "EQUAL"):
        return reader.error("events are looked for in the past: nobody knows tomorrow's (T1)", "yesterday", "today")
    if reader.kind() == "TOMORROW":
        return None
    end = reader.forth(reader.at + 1, ("AND", "OR", *STARTS))
    past = f"last {reader.between(reader.at + 1, end)}"
    return reader.error("events are looked for in the past: nobody knows the next ones (T1)", past)


def _elapsed_anniversary(reader: Reader) -> RuleError | None:
    """T16, G9"""
    start = reader.back(("AND", "OR", *STARTS))
    leaf = [token.type for token in reader.tokens[start : reader.at]]
    if "_ANNIVERSARY" not in leaf:
        return None
    if reader.kind() == "DUR":
        unit = re.sub(r"\d", "", reader.word())
        days = -(-int(reader.word().removesuffix(unit)) * ELAPSED_MS[unit] // ELAPSED_MS["d"])
        direction = reader.word(-1)
        message = "an anniversary falls on whole days, not into elapsed time (T16)"
        return reader.error(message, f"{direction} {days} calendar day{'' if days == 1 else 's'}")
    if reader.kind() == "EVER":
        return reader.error("an anniversary takes no `ever`: it comes every year (G9)", "in next 7 calendar days")
    return None


def _first_time_counted(reader: Reader) -> RuleError | None:
    """G9"""
    counts = ("_AT_LEAST", "_AT_MOST", "_EXACTLY", "NUMBER")
    happened_first = reader.kind(-1) == "_FIRST_TIME" and reader.kind() in counts
    counted_first = reader.kind() == "_FIRST_TIME" and reader.kind(-1) == "TIMES"
    if happened_first or counted_first:
        return reader.error("`for the first time` takes no number of times (G9)", "for the first time")
    return None


def _past_membership(reader: Reader) -> RuleError | None:
    """G19"""
    segment = reader.at - (2 if reader.kind(-1) == "VERSION" else 1)
    asked = reader.tokens[segment - 1].type if segment > 0 else ""
    if asked in ("_ENTERED", "_LEFT"):
        words = reader.between(segment - 1, reader.at)
        return reader.error(
            "when? `entered` and `left` need a window (G19)", f"{words} in last 7d", f"{words} in last month"
        )
    if asked == "_WAS_IN_SEGMENT":
        words = reader.between(segment - 1, reader.at)
        return reader.error(
            "when? `was in segment` needs `ago` or `on` (G19)", f"{words} 30d ago", f"{words} on 2026-01-31"
        )
    if reader.kind() == "_IN_SEGMENT" and reader.word(-1) in ("not", "不", "非") and reader.word(-2) == "was":
        rest = reader.between(reader.at, reader.forth(reader.at, ("AND", "OR", *STARTS)))
        return reader.error("`was in segment` is denied as a whole (G19)", f"not was {rest}", offset=-1)
    return None


def _filtered_step(reader: Reader) -> RuleError | None:
    """G17"""
    start = reader.back(("EQUAL",))
    if reader.kind() != "WHERE" or start < 2 or reader.tokens[start - 1].type != "EQUAL":
        return None
    if not any(token.type == "OR" for token in reader.tokens[start : reader.at]):
        return None
    if reader.at - start > _READ_TWICE:
        return reader.error("among several steps a filtered one stands in brackets (G17)")
    last = reader.back(("OR", "EQUAL"))
    where = reader.between(reader.at, reader.forth(reader.at + 2, ()) + 1)
    before, step = reader.between(start, last), reader.between(last, reader.at)
    all_steps = " or ".join(f"({name.strip()} {where})" for name in re.split(r"\bor\b", f"{before} {step}"))
    message = "among several steps a filtered one stands in brackets (G17)"
    return reader.error(message, f"{before} ({step} {where})", all_steps)


def _doubled_sign(reader: Reader) -> RuleError | None:
    pair = reader.word(-1) + reader.word()
    if pair in ("==", "<>", "=<", "=>"):
        meant = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">="}[pair]
        return reader.error(f"`{pair}` is written `{meant}`", meant, offset=-1)
    return None


_KNOWN = (
    _mixed,
    _not_or_unknown,
    _bare_times,
    _elapsed_anniversary,
    _bare_units,
    _split_duration,
    _grouped_number,
    _metres_for_time,
    _month_for_difference,
    _default_beside,
    _future_events,
    _first_time_counted,
    _past_membership,
    _filtered_step,
    _doubled_sign,
)
