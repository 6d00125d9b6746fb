"""Windows, durations and dates written in another way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.slip import Match, compile_patterns

_LETTERS = {"h": "h", "m": "min", "d": "d", "w": "w", "小": "h", "分": "min", "天": "d", "日": "d", "周": "w"}
_UNITS = {"天": "天", "日": "天", "周": "周", "个月": "月", "月": "月", "季度": "季度", "年": "年"}
_DAYS = {"day": 1, "week": 7, "month": 30, "mo": 30, "quarter": 90, "year": 365, "yr": 365, "y": 365}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPELLED_UNIT = r"(?:days?|weeks?|months?|quarters?|years?)"
_ELAPSED_UNIT = r"(?:hours?|hrs?|minutes?|mins?|days?|weeks?|小时|分钟|天|周)"


def _elapsed(found: Match) -> Sequence[str]:
    return [f"{found['before']}{found['n']}{_LETTERS[found['unit'][0]]}"]


def _both_readings(found: Match) -> Sequence[str]:
    """Of a spelled unit: elapsed, and whole local units."""
    number, unit = int(found["n"]), found["unit"].removesuffix("s")
    whole = {"mo": "month", "y": "year", "yr": "year"}.get(unit, unit)
    return [f"in last {number * _DAYS[unit]}d", f"in last {number} calendar {whole}{'' if number == 1 else 's'}"]


def _hours_and_minutes(found: Match) -> Sequence[str]:
    hours, minutes = (found["h"], found["m"]) if found["h"] else (found["h2"], found["m2"])
    return [f"{int(hours) * 60 + int(minutes)}min"]


def _both_chinese(found: Match) -> Sequence[str]:
    unit = _UNITS[found["unit"]]
    days = int(found["n"]) * {"天": 1, "周": 7, "月": 30, "季度": 90, "年": 365}[unit]
    return [f"在 最近 {days}d", f"在 最近 {found['n']} 自然 {unit}"]


def _bare_number(found: Match) -> Sequence[str]:
    number = int(found["n"])
    offers = [f"last {number}d", f"last {number} calendar day{'' if number == 1 else 's'}"]
    return [offer + found["rest"] for offer in offers]


def _short_unit(found: Match) -> Sequence[str]:
    number, unit = int(found["n"]), found["unit"].lower()
    if unit in ("d", "h", "w"):
        return [f"{number}{unit}"]
    whole, days = ("year", 365) if unit.startswith("y") else ("month", 30)
    return [f"{number} calendar {whole}{'' if number == 1 else 's'}", f"{number * days}d"]


def _date(found: Match) -> Sequence[str]:
    """Both readings of a date that begins with a day or a month, where both exist."""
    year = int(found["y"])
    a, b = int(found["a"]), int(found["b"])
    pairs = [(a, b)] if found["y"] == found[0].strip()[:4] else [(b, a), (a, b)]
    dates = [_existing(year, month, day) for month, day in pairs]
    return list(dict.fromkeys(date for date in dates if date))


def _existing(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return ""


def _after(found: Match) -> Sequence[str]:
    try:
        day = dt.date.fromisoformat(found["day"])
        return [f"since {day}", f"since {day + dt.timedelta(days=1)}"]
    except (ValueError, OverflowError):
        return []


def _whole_year(found: Match) -> Sequence[str]:
    return [f"between {found['y']}-01-01 and {found['y']}-12-31"]


def _month(found: Match) -> Sequence[str]:
    return [f"in {found['y']}-{int(found['m']):02}"] if 1 <= int(found["m"]) <= 12 else []


def _named_month(found: Match) -> Sequence[str]:
    return [f"in {found['y']}-{_MONTHS.index(found['m'][:3].lower()) + 1:02}"]


def _clock(found: Match) -> Sequence[str]:
    """`9:00`, `10pm`, `10:00pm` after a date."""
    hour, minute, half = int(found["h"]), found["min"] or "00", (found["half"] or found["half2"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return [f"{found['day']} {hour:02}:{minute}"] if hour < 24 else []


def _compared_with_today(found: Match) -> Sequence[str]:
    sign, day = found["cmp"], found["day"]
    if sign in ("=", "=="):
        return [day]
    return ["since 2026-01-31"] if sign.startswith(">") else ["before 2026-01-31"]


_MONTH_NAME = r"(?P<m>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)"
_ELAPSED_SAYS = "a duration is one number with its unit, such as 7d or 2h (G12)"
_WINDOW_SAYS = "of elapsed time the window is written `in last 30d`"
_DATE_SAYS = "a date is written year-month-day, such as 2026-01-31"

WINDOW_PATTERNS = compile_patterns(
    (
        r"\bof\s+(?P<at>(?P<n><count>))\s+(?:calendar\s+)?(?P<u>day|week|month|quarter|year)s?\b",
        "the units are the last whole ones",
        r"of last \g<n> calendar \g<u>s",
    ),
    (
        r"\bbetween\s+(\d{4})[/.](\d\d)[/.](\d\d)\s+and\s+(\d{4})[/.](\d\d)[/.](\d\d)",
        _DATE_SAYS,
        r"between \1-\2-\3 and \4-\5-\6",
    ),
    (
        r"\bin\s+(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b(?!\s+\d)",
        "a month has its year",
        "in 2026-01",
    ),
    (
        r"\b(?P<at>(?P<h>\d{1,4})h\s*(?P<m>\d{1,4})min)\b|(?P<h2>\d{1,4})h\s+(?P<m2>\d{1,4})min\b",
        _ELAPSED_SAYS,
        _hours_and_minutes,
    ),
    (r"\b(?P<n><count>)\s+(?P<at>m)\b", "of time `m` has two readings (G12)", r"\g<n>min", r"\g<n> calendar months"),
    (rf"(?P<before>(?:within|after)\s+)(?P<at>(?P<n><count>))\s*(?P<unit>{_ELAPSED_UNIT})", _ELAPSED_SAYS, _elapsed),
    (
        rf"\b(?:(?:in|within|for|over|during)\s+)?(?:the\s+)?(?:(?:last|past|previous|recent)\s+)?"
        rf"(?P<n><count>)\s+(?P<unit>{_SPELLED_UNIT})\b",
        "this has two readings: elapsed time, or whole local units (G12)",
        lambda found: [] if found[0].startswith("in last") else _both_readings(found),
    ),
    (
        r"(?:最近|近|过去)\s*(?P<n><count>)\s*(?P<unit>天|日|周|个月|月|季度|年)(?:内|来|里)?",
        "经过的时间，还是完整的自然单位? this has two readings: elapsed, or whole local units (G12)",
        _both_chinese,
    ),
    (
        r"\b(?:(?:in|within|for|over|during)\s+)?(?:the\s+)?(?:last|past|previous|recent)\s+(<duration>)",
        _WINDOW_SAYS,
        r"in last \1",
    ),
    (r"\b(?:in|within|for|over|during|since)\s+(?:last\s+)?(<duration>)(?:\s+ago\b)?", _WINDOW_SAYS, r"in last \1"),
    (r"(?P<at>(?P<d><duration>))\s+ago\b", _WINDOW_SAYS, r"in last \g<d>"),
    (r"(?P<at>\b(?:last|this)\s+<unit>)", "a calendar window begins with `in`", r"in \g<at>"),
    (
        r"\bin\s+(?:the\s+)?(?:past|previous)\s+(day|week|month|quarter|year)\b",
        "the unit before this is `last`",
        r"in last \1",
    ),
    (r"\b(?:in|on)\s+(?P<at>(today|yesterday|tomorrow))\b", "this word is a window by itself", r"\2"),
    (
        r"last\s+(?P<n><count>)(?P<rest>\s*)(?:$|(?=and\b|or\b|\)|;))",
        "of what? elapsed time, or whole local days (G12)",
        _bare_number,
    ),
    (r"(?P<n><count>)(?P<at>(?P<unit>D|H|W|y|yr|yrs|mo|years|months))\b", _ELAPSED_SAYS, _short_unit),
    (r"(?P<y>\d{4})[/.](?P<a>\d{1,2})[/.](?P<b>\d{1,2})(?!\d)", _DATE_SAYS, _date),
    (r"(?P<y>\d{4})\s*年\s*(?P<a>\d{1,2})\s*月\s*(?P<b>\d{1,2})\s*[日号]?", _DATE_SAYS, _date),
    (r"(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<y>\d{4})", _DATE_SAYS, _date),
    (r"(?P<y>\d{4})-(?P<a>\d{1,2})-(?P<b>\d{1,2})(?!\d)", _DATE_SAYS, _date),
    (
        r"(?P<day><date>)\s+(?P<h>\d{1,2})(?::(?P<min>\d{2})(?::\d{2})?\s*(?P<half>am|pm|AM|PM)?|\s*(?P<half2>am|pm|AM|PM))",
        "a time of day is written 09:00 or 22:00, after its date",
        _clock,
    ),
    (
        r"\b(?P<on>on|since|before)\s+(?P<at>\d{1,2})-(?P<d>\d{1,2})\b",
        "a date has its year",
        r"\g<on> 2026-\g<at>-\g<d>",
    ),
    (r"\bafter\s+(?P<day><date>)", "after a date has two readings: with that day, or from the next", _after),
    (
        r"\bfrom\s+(<date>)\s*(?:to|until|till|through|and|-)\s*(<date>)",
        "from one day to another is `between`",
        r"between \1 and \2",
    ),
    (r"\bfrom\s+(<date>)", "from a day on is `since`", r"since \1"),
    (r"\b(?:until|till)\s+(<date>)", "up to a day is `before`, which leaves that day out", r"before \1"),
    (
        r"\bbetween\s+(<date>)\s*(?:to|until|,|-)?\s*(<date>)",
        "the ends of `between` are joined by `and`",
        r"between \1 and \2",
    ),
    (r"\bin\s+(?P<y>\d{4})\b(?!-\d)", "a year is written as its first and last day", _whole_year),
    (r"\bin\s+(?P<y>\d{4})[-/](?P<m>\d{1,2})\b", "a month has two digits, such as 2026-01", _month),
    (
        rf"(?i)\b(?:in\s+)?{_MONTH_NAME}\s+(?P<y>\d{{4}})\b",
        "a month is written year-month, such as 2026-01",
        _named_month,
    ),
    (
        r"(?P<cmp>>=|<=|==|=|>|<)\s*(?P<at>(?P<day>today|yesterday|tomorrow))\b",
        "this word is a window, not a date: it stands without a sign, and a sign stands before a DATE",
        _compared_with_today,
    ),
    (r"\b(?:since|before)\s+(?P<at>(today|yesterday))\b", "this word is a window by itself, not a date", r"\2"),
    (
        r"(?:\bevery|\beach)\s+(day|week|month|quarter|year)\b",
        "how far back? say the units",
        r"in each of last 4 calendar \1s",
    ),
)
