"""Foreign syntax of windows, durations and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from quanyu.dsl.syntax_errors.foreign_syntax.pattern import Match, compile_patterns

_LETTERS = {"h": "h", "m": "min", "d": "d", "w": "w", "小": "h", "分": "min", "天": "d", "日": "d", "周": "w"}
_UNITS = {"天": "天", "日": "天", "周": "周", "个月": "月", "月": "月", "季度": "季度", "年": "年"}
_DAYS = {"day": 1, "week": 7, "month": 30, "mo": 30, "quarter": 90, "year": 365, "yr": 365, "y": 365}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPELLED_UNIT = r"(?:days?|weeks?|months?|quarters?|years?)"
_ELAPSED_UNIT = r"(?:hours?|hrs?|minutes?|mins?|days?|weeks?|小时|分钟|天|周)"


def _write_elapsed(found: Match) -> Sequence[str]:
    return [f"{found['before']}{found['n']}{_LETTERS[found['unit'][0]]}"]


def _offer_elapsed_and_calendar(found: Match) -> Sequence[str]:
    """Offers elapsed time and whole local units for a unit that is spelled out."""
    number, unit = int(found["n"]), found["unit"].removesuffix("s")
    whole = {"mo": "month", "y": "year", "yr": "year"}.get(unit, unit)
    return [f"in last {number * _DAYS[unit]}d", f"in last {number} calendar {whole}{'' if number == 1 else 's'}"]


def _add_hours_and_minutes(found: Match) -> Sequence[str]:
    hours, minutes = (found["h"], found["m"]) if found["h"] else (found["h2"], found["m2"])
    return [f"{int(hours) * 60 + int(minutes)}min"]


def _offer_both_in_chinese(found: Match) -> Sequence[str]:
    unit = _UNITS[found["unit"]]
    days = int(found["n"]) * {"天": 1, "周": 7, "月": 30, "季度": 90, "年": 365}[unit]
    return [f"在 最近 {days}d", f"在 最近 {found['n']} 自然 {unit}"]


def _add_unit(found: Match) -> Sequence[str]:
    number = int(found["n"])
    offers = [f"last {number}d", f"last {number} calendar day{'' if number == 1 else 's'}"]
    return [offer + found["rest"] for offer in offers]


def _write_unit(found: Match) -> Sequence[str]:
    number, unit = int(found["n"]), found["unit"].lower()
    if unit in ("d", "h", "w"):
        return [f"{number}{unit}"]
    whole, days = ("year", 365) if unit.startswith("y") else ("month", 30)
    return [f"{number} calendar {whole}{'' if number == 1 else 's'}", f"{number * days}d"]


def _reorder_date(found: Match) -> Sequence[str]:
    """Offers day-month and month-day for a date that does not begin with its year, as far as these dates exist."""
    year = int(found["y"])
    a, b = int(found["a"]), int(found["b"])
    pairs = [(a, b)] if found["y"] == found[0].strip()[:4] else [(b, a), (a, b)]
    dates = [_format_date(year, month, day) for month, day in pairs]
    return list(dict.fromkeys(date for date in dates if date))


def _format_date(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return ""


def _offer_both_days(found: Match) -> Sequence[str]:
    try:
        day = dt.date.fromisoformat(found["day"])
        return [f"since {day}", f"since {day + dt.timedelta(days=1)}"]
    except (ValueError, OverflowError):
        return []


def _write_year(found: Match) -> Sequence[str]:
    return [f"between {found['y']}-01-01 and {found['y']}-12-31"]


def _write_month(found: Match) -> Sequence[str]:
    return [f"in {found['y']}-{int(found['m']):02}"] if 1 <= int(found["m"]) <= 12 else []


def _write_named_month(found: Match) -> Sequence[str]:
    return [f"in {found['y']}-{_MONTHS.index(found['m'][:3].lower()) + 1:02}"]


def _write_time(found: Match) -> Sequence[str]:
    """Writes `9:00`, `10pm` and `10:00pm` with 24 hours."""
    hour, minute, half = int(found["h"]), found["min"] or "00", (found["half"] or found["half2"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return [f"{found['day']} {hour:02}:{minute}"] if hour < 24 else []


def _replace_comparison(found: Match) -> Sequence[str]:
    sign, day = found["cmp"], found["day"]
    if sign in ("=", "=="):
        return [day]
    return ["since 2026-01-31"] if sign.startswith(">") else ["before 2026-01-31"]


_MONTH_NAME = r"(?P<m>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)"
_DURATION_MESSAGE = "write a duration as one number and its unit, such as 7d or 2h (G12)"
_WINDOW_MESSAGE = "write an elapsed-time window as `in last 30d`"
_DATE_MESSAGE = "write a date as year-month-day, such as 2026-01-31"

WINDOW_PATTERNS = compile_patterns(
    (
        r"\bof\s+(?P<at>(?P<n><count>))\s+(?:calendar\s+)?(?P<u>day|week|month|quarter|year)s?\b",
        "write `last` before the number and `calendar` before the unit",
        r"of last \g<n> calendar \g<u>s",
    ),
    (
        r"\bbetween\s+(\d{4})[/.](\d\d)[/.](\d\d)\s+and\s+(\d{4})[/.](\d\d)[/.](\d\d)",
        _DATE_MESSAGE,
        r"between \1-\2-\3 and \4-\5-\6",
    ),
    (
        r"\bin\s+(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b(?!\s+\d)",
        "write the year of the month",
        "in 2026-01",
    ),
    (
        r"\b(?P<at>(?P<h>\d{1,4})h\s*(?P<m>\d{1,4})min)\b|(?P<h2>\d{1,4})h\s+(?P<m2>\d{1,4})min\b",
        _DURATION_MESSAGE,
        _add_hours_and_minutes,
    ),
    (
        r"\b(?P<n><count>)\s+(?P<at>m)\b",
        "`m` is ambiguous here: it can mean minutes or months (G12)",
        r"\g<n>min",
        r"\g<n> calendar months",
    ),
    (
        rf"(?P<before>(?:within|after)\s+)(?P<at>(?P<n><count>))\s*(?P<unit>{_ELAPSED_UNIT})",
        _DURATION_MESSAGE,
        _write_elapsed,
    ),
    (
        rf"\b(?:(?:in|within|for|over|during)\s+)?(?:the\s+)?(?:(?:last|past|previous|recent)\s+)?"
        rf"(?P<n><count>)\s+(?P<unit>{_SPELLED_UNIT})\b",
        "this is ambiguous: it can mean elapsed time or whole local units (G12)",
        lambda found: [] if found[0].startswith("in last") else _offer_elapsed_and_calendar(found),
    ),
    (
        r"(?:最近|近|过去)\s*(?P<n><count>)\s*(?P<unit>天|日|周|个月|月|季度|年)(?:内|来|里)?",
        "经过的时间，还是完整的自然单位? this is ambiguous: it can mean elapsed time or whole local units (G12)",
        _offer_both_in_chinese,
    ),
    (
        r"\b(?:(?:in|within|for|over|during)\s+)?(?:the\s+)?(?:last|past|previous|recent)\s+(<duration>)",
        _WINDOW_MESSAGE,
        r"in last \1",
    ),
    (r"\b(?:in|within|for|over|during|since)\s+(?:last\s+)?(<duration>)(?:\s+ago\b)?", _WINDOW_MESSAGE, r"in last \1"),
    (r"(?P<at>(?P<d><duration>))\s+ago\b", _WINDOW_MESSAGE, r"in last \g<d>"),
    (r"(?P<at>\b(?:last|this)\s+<unit>)", "write `in` before a calendar window", r"in \g<at>"),
    (
        r"\bin\s+(?:the\s+)?(?:past|previous)\s+(day|week|month|quarter|year)\b",
        "write `last` for the unit before this one",
        r"in last \1",
    ),
    (r"\b(?:in|on)\s+(?P<at>(today|yesterday|tomorrow))\b", "remove `in` or `on`: this word alone is a window", r"\2"),
    (
        r"last\s+(?P<n><count>)(?P<rest>\s*)(?:$|(?=and\b|or\b|\)|;))",
        "the unit is missing: write elapsed time or whole local days (G12)",
        _add_unit,
    ),
    (r"(?P<n><count>)(?P<at>(?P<unit>D|H|W|y|yr|yrs|mo|years|months))\b", _DURATION_MESSAGE, _write_unit),
    (r"(?P<y>\d{4})[/.](?P<a>\d{1,2})[/.](?P<b>\d{1,2})(?!\d)", _DATE_MESSAGE, _reorder_date),
    (r"(?P<y>\d{4})\s*年\s*(?P<a>\d{1,2})\s*月\s*(?P<b>\d{1,2})\s*[日号]?", _DATE_MESSAGE, _reorder_date),
    (r"(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<y>\d{4})", _DATE_MESSAGE, _reorder_date),
    (r"(?P<y>\d{4})-(?P<a>\d{1,2})-(?P<b>\d{1,2})(?!\d)", _DATE_MESSAGE, _reorder_date),
    (
        r"(?P<day><date>)\s+(?P<h>\d{1,2})(?::(?P<min>\d{2})(?::\d{2})?\s*(?P<half>am|pm|AM|PM)?|\s*(?P<half2>am|pm|AM|PM))",
        "write a time of day as 09:00 or 22:00, after its date",
        _write_time,
    ),
    (
        r"\b(?P<on>on|since|before)\s+(?P<at>\d{1,2})-(?P<d>\d{1,2})\b",
        "write the year of the date",
        r"\g<on> 2026-\g<at>-\g<d>",
    ),
    (
        r"\bafter\s+(?P<day><date>)",
        "`after` is ambiguous: it can mean from that day or from the next day",
        _offer_both_days,
    ),
    (
        r"\bfrom\s+(<date>)\s*(?:to|until|till|through|and|-)\s*(<date>)",
        "write from one day to another as `between`",
        r"between \1 and \2",
    ),
    (r"\bfrom\s+(<date>)", "write from a day on as `since`", r"since \1"),
    (r"\b(?:until|till)\s+(<date>)", "write up to a day as `before`, which leaves that day out", r"before \1"),
    (
        r"\bbetween\s+(<date>)\s*(?:to|until|,|-)?\s*(<date>)",
        "join the ends of `between` with `and`",
        r"between \1 and \2",
    ),
    (r"\bin\s+(?P<y>\d{4})\b(?!-\d)", "write a year as its first and last day", _write_year),
    (r"\bin\s+(?P<y>\d{4})[-/](?P<m>\d{1,2})\b", "write a month with two digits, such as 2026-01", _write_month),
    (
        rf"(?i)\b(?:in\s+)?{_MONTH_NAME}\s+(?P<y>\d{{4}})\b",
        "write a month as year-month, such as 2026-01",
        _write_named_month,
    ),
    (
        r"(?P<cmp>>=|<=|==|=|>|<)\s*(?P<at>(?P<day>today|yesterday|tomorrow))\b",
        "this word is a window, not a date: remove the sign, or write a date after it",
        _replace_comparison,
    ),
    (
        r"\b(?:since|before)\s+(?P<at>(today|yesterday))\b",
        "remove `since` or `before`: this word alone is a window, not a date",
        r"\2",
    ),
    (
        r"(?:\bevery|\beach)\s+(day|week|month|quarter|year)\b",
        "say how far back: write a number of units",
        r"in each of last 4 calendar \1s",
    ),
)
