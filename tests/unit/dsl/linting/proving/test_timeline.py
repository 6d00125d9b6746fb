"""The order of window ends against windows that are resolved at later clocks."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Clock, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.linting.proving.timeline import NOW, Instant, Timeline

UNITS = ["day", "week", "month", "quarter", "year"]
DAYS = ["2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02", "2026-12-31", "2027-01-01", "2024-02-29", "2026-10-04"]
WINDOWS = [
    *(f"in last {duration}" for duration in ("5min", "23h", "1d", "2d", "7d", "30d", "31d", "32d", "366d", "800d")),
    *(f"in last {number} calendar {unit}s" for number in (1, 2, 3, 13) for unit in UNITS),
    *(f"in {word} {unit}" for word in ("last", "this") for unit in UNITS),
    *("today", "yesterday", "in 2026-11", "on 2026-11-01", "since 2026-01-01", "before 2026-03-08", "ever"),
    *("between 2026-01-01 and 2026-11-01", "between 7d and 30d ago", "between 1d and 2d ago"),
]  # fmt: skip


@cache
def window(text: str) -> s.Window:
    cond = parse_condition(f"did x {text}")
    assert isinstance(cond, s.Did)
    assert not isinstance(cond.pattern.window, s.Recurrence)
    return cond.pattern.window


@st.composite
def clocks(draw: st.DrawFn) -> tuple[Clock, Clock]:
    """Draws a clock and a later one near starts of days. Some days have 23 or 25 hours, and some begin a unit."""
    zone = draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "America/New_York", "Australia/Lord_Howe"]))
    somewhere = Clock(0, zone, draw(st.integers(1, 7)), draw(st.sampled_from([0, 240])))
    days = st.sampled_from(DAYS).map(dt.date.fromisoformat)
    instants = st.builds(
        lambda day, by: somewhere.day_start_ms(day) + by, days, st.sampled_from([-1, 0, 1, 46_800_000])
    )
    as_of, later = sorted([draw(instants), draw(instants)])
    return replace(somewhere, as_of_ms=as_of), replace(somewhere, as_of_ms=later)


@given(clocks())
def test_is_never_later_holds_now_and_at_every_later_instant(clock_pair: tuple[Clock, Clock]) -> None:
    one, other = clock_pair
    timeline = Timeline(one)
    ends: dict[Instant, float] = {NOW: other.as_of_ms}
    for text in WINDOWS:
        ends.update(zip(timeline.span_of(window(text)), resolved(text, other), strict=True))
    for a, b in itertools.permutations(ends, 2):
        if timeline.is_never_later(a, b):
            assert ends[a] <= ends[b], (a, b)


def resolved(text: str, clock: Clock) -> tuple[float, float]:
    low, high = windows.resolve_instants(window(text), clock)
    return -float("inf") if low is None else low, float("inf") if high is None else high


@given(clocks())
def test_length_and_day_bounds_hold_at_every_later_instant(clock_pair: tuple[Clock, Clock]) -> None:
    one, other = clock_pair
    timeline = Timeline(one)
    for text in WINDOWS:
        span = timeline.event_span(window(text))
        start, end = windows.resolve_event_window(window(text), other)
        if start is not None and start < end:
            assert end - start <= timeline.max_length_ms(span), text
            assert (other.day_of(end - 1) - other.day_of(start)).days + 1 <= timeline.max_days(span), text


def test_a_window_inside_another_one_is_recognized() -> None:
    timeline = Timeline(Clock(1_795_312_800_000, "Asia/Shanghai"))
    inside = [
        ("in last 7d", "in last 30d"),
        ("today", "in this week"),
        ("today", "in this year"),
        ("in this month", "in this quarter"),
        ("in this quarter", "in this year"),
        ("yesterday", "in last 7 calendar days"),
        ("in last week", "in last 13 calendar days"),
        ("in last month", "in last 2 calendar months"),
        ("in last 2 calendar quarters", "in last 9 calendar months"),
        ("in last 7 calendar days", "in last 8d"),
        ("in 2026-11", "since 2026-01-01"),
        ("since 2026-11-01", "ever"),
    ]
    for narrow, wide in inside:
        (start, end), (first, last) = timeline.event_span(window(narrow)), timeline.event_span(window(wide))
        assert timeline.is_never_later(first, start), (narrow, wide)
        assert last == NOW or timeline.is_never_later(end, last), (narrow, wide)
