"""Calendar windows against a brute-force clock that steps through every minute of real zones (T0-T20)."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Clock, RuleError
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.syntax import CalendarUnit

MINUTE = 60_000
DAY = 86_400_000
# New York changes by an hour at night. Sao Paulo 2018 has no midnight. St John's 2011 goes back across midnight.
# Lord Howe changes by half an hour. Apia 2011 skips a whole day.
CHANGES = [
    ("America/New_York", dt.date(2026, 3, 8)),
    ("America/New_York", dt.date(2026, 11, 1)),
    ("America/Sao_Paulo", dt.date(2018, 11, 4)),
    ("America/Sao_Paulo", dt.date(2018, 2, 18)),
    ("America/St_Johns", dt.date(2011, 11, 6)),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),
    ("Pacific/Apia", dt.date(2011, 12, 30)),
    ("Asia/Shanghai", dt.date(2026, 11, 22)),
]
DAY_STARTS = [0, 30, 90, 150, 240]


def ms(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1000


@lru_cache
def minutes_around(zone: str, day: dt.date) -> tuple[tuple[int, dt.datetime], ...]:
    """Returns every minute of the five days around a day, with the local time."""
    start = ms(dt.datetime.combine(day - dt.timedelta(days=2), dt.time(), dt.UTC))
    instants = range(start, start + 5 * DAY, MINUTE)
    info = ZoneInfo(zone)
    return tuple((t, dt.datetime.fromtimestamp(t // 1000, info).replace(tzinfo=None)) for t in instants)


def first_minute(zone: str, day: dt.date, wall: dt.datetime) -> int:
    return next(t for t, wall_time in minutes_around(zone, day) if wall_time >= wall)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("day_start", DAY_STARTS)
def test_t5_t6_a_day_begins_when_the_clock_first_shows_it(zone: str, day: dt.date, day_start: int) -> None:
    clock = Clock(0, zone, day_start=day_start)
    for offset in (0, 1):
        local = day + dt.timedelta(days=offset)
        wall = dt.datetime.combine(local, dt.time()) + dt.timedelta(minutes=day_start)
        assert clock.day_start_ms(local) == first_minute(zone, day, wall)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("day_start", DAY_STARTS)
def test_t7_every_minute_is_in_its_local_day(zone: str, day: dt.date, day_start: int) -> None:
    clock = Clock(0, zone, day_start=day_start)
    for t, _ in minutes_around(zone, day)[::7]:
        local = clock.day_of(t)
        assert clock.day_start_ms(local) <= t < clock.day_start_ms(local + dt.timedelta(days=1))


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("minute", [0, 1, 30, 90, 119, 150, 180, 1439])
def test_t8_a_datetime_is_the_first_instant_of_its_minute(zone: str, day: dt.date, minute: int) -> None:
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
    got = windows.when_ms(s.DateTime(wall), Clock(0, zone))
    assert got == first_minute(zone, day, wall)


def test_t8_gap_of_new_york_ends_at_three() -> None:
    clock = Clock(0, "America/New_York")
    in_gap = windows.when_ms(s.DateTime(dt.datetime(2026, 3, 8, 2, 30)), clock)
    assert in_gap == ms(dt.datetime(2026, 3, 8, 7, 0, tzinfo=dt.UTC))


# --- units --------------------------------------------------------------------------------------

instants = st.integers(ms(dt.datetime(1990, 1, 1, tzinfo=dt.UTC)), ms(dt.datetime(2040, 1, 1, tzinfo=dt.UTC)))
zones = st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
units = st.sampled_from(["day", "week", "month", "quarter", "year"])
clocks = st.builds(Clock, instants, zones, st.integers(1, 7), st.sampled_from([0, 240]))


def same_unit(unit: CalendarUnit, week_start: int, a: dt.date, b: dt.date) -> bool:
    """Returns whether two days are in the same unit. Does not calculate with months."""
    if unit == "week":
        week = [(day.toordinal() - (week_start - 1) - 1) // 7 for day in (a, b)]  # 1 January of year 1 is a Monday
        return week[0] == week[1]
    names = {
        "day": lambda d: d,
        "month": lambda d: (d.year, d.month),
        "quarter": lambda d: (d.year, (d.month + 2) // 3),
        "year": lambda d: d.year,
    }
    return bool(names[unit](a) == names[unit](b))


def count_units(unit: CalendarUnit, clock: Clock, first: dt.date, end: dt.date) -> int:
    """Counts the units in [first, end) day by day. Fails unless the units are whole."""
    day, count = first, 1
    assert not same_unit(unit, clock.week_start, first - dt.timedelta(days=1), first)
    assert not same_unit(unit, clock.week_start, end - dt.timedelta(days=1), end)
    while day + dt.timedelta(days=1) < end:
        count += not same_unit(unit, clock.week_start, day, day + dt.timedelta(days=1))
        day += dt.timedelta(days=1)
    return count


@given(clocks, units, st.integers(1, 6))
def test_t0_t4_t18_t19_units_are_whole_and_adjoin(clock: Clock, unit: CalendarUnit, number: int) -> None:
    last = windows.resolve_days(s.LastUnits(number, unit), clock)
    this = windows.resolve_days(s.ThisUnit(unit), clock)
    following = windows.resolve_days(s.NextUnits(number, unit), clock)
    assert last[1] == this[0]
    assert this[1] == following[0]
    assert this[0] is not None
    assert this[0] <= clock.today
    for span, expected in ((last, number), (this, 1), (following, number)):
        assert span[0] is not None
        assert span[1] is not None
        assert count_units(unit, clock, span[0], span[1]) == expected
    assert windows.resolve_days(s.LastUnit(unit), clock) == windows.resolve_days(s.LastUnits(1, unit), clock)
    assert windows.resolve_days(s.NextUnit(unit), clock) == windows.resolve_days(s.NextUnits(1, unit), clock)


@given(clocks, units)
def test_t4_the_current_unit_contains_as_of(clock: Clock, unit: CalendarUnit) -> None:
    start, end = windows.resolve_instants(s.ThisUnit(unit), clock)
    assert start is not None
    assert end is not None
    assert start <= clock.as_of_ms < end


@given(clocks, st.integers(1, 3000), st.sampled_from(["min", "h", "d", "w"]))
def test_t0_t12_elapsed_time_ignores_the_calendar(clock: Clock, amount: int, unit: s.ElapsedUnit) -> None:
    length = amount * {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit] * 1000
    now = clock.as_of_ms
    assert windows.resolve_instants(s.LastElapsed(s.Duration(amount, unit)), clock) == (now - length, now)
    assert windows.resolve_instants(s.NextElapsed(s.Duration(amount, unit)), clock) == (now, now + length)


@given(clocks, st.integers(1, 99), st.integers(1, 99))
def test_t11_durations_of_a_range_have_any_order(clock: Clock, a: int, b: int) -> None:
    one = windows.resolve_instants(s.BetweenDurations(s.Duration(a, "d"), s.Duration(b, "d")), clock)
    other = windows.resolve_instants(s.BetweenDurations(s.Duration(b, "d"), s.Duration(a, "d")), clock)
    assert one == other == (clock.as_of_ms - max(a, b) * DAY, clock.as_of_ms - min(a, b) * DAY)


@given(clocks, st.integers(-400, 400), st.integers(1, 800))
def test_a8_day_starts_cover_the_window(clock: Clock, back: int, length: int) -> None:
    end = clock.as_of_ms - back * DAY // 10
    start = end - length * DAY // 10
    starts = windows.day_starts(start, end, Clock(clock.as_of_ms, clock.zone, day_start=clock.day_start))
    assert starts == sorted(set(starts))
    assert starts[0] <= max(start, 0) < starts[1]
    assert starts[-2] < max(end, 1) <= starts[-1]


def test_t24_day_starts_begin_at_the_first_event() -> None:
    clock = Clock(100 * DAY, "UTC", earliest_ms=98 * DAY + 5)
    assert windows.day_starts(None, 100 * DAY, clock) == [98 * DAY, 99 * DAY, 100 * DAY]


# --- single windows -----------------------------------------------------------------------------


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return ms(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def days(window: s.Window, as_of: str, **options: int) -> list[str]:
    clock = Clock(at(as_of), "Asia/Shanghai", **options)  # type: ignore[arg-type]
    return [str(day) for day in windows.resolve_days(window, clock)]


def test_t4_at_the_start_of_a_month_this_month_is_empty() -> None:
    assert days(s.ThisUnit("month"), "2026-02-01 00:00") == ["2026-02-01", "2026-03-01"]
    assert days(s.LastUnit("month"), "2026-02-01 00:00") == ["2026-01-01", "2026-02-01"]
    clock = Clock(at("2026-02-01 00:00"), "Asia/Shanghai")
    assert windows.resolve_event_window(s.ThisUnit("month"), clock) == (clock.as_of_ms, clock.as_of_ms)


def test_t5_day_start_moves_every_calendar_unit() -> None:
    assert days(s.ThisUnit("month"), "2026-02-01 03:59", day_start=240) == ["2026-01-01", "2026-02-01"]
    assert days(s.ThisUnit("month"), "2026-02-01 04:00", day_start=240) == ["2026-02-01", "2026-03-01"]
    assert days(s.Today(), "2026-02-01 03:59", day_start=240) == ["2026-01-31", "2026-02-01"]


def test_yesterday_tomorrow_and_future_units_are_relative_to_today() -> None:
    assert days(s.Yesterday(), "2026-11-22 10:00") == ["2026-11-21", "2026-11-22"]
    assert days(s.Tomorrow(), "2026-11-22 10:00") == ["2026-11-23", "2026-11-24"]
    assert days(s.NextUnits(7, "day"), "2026-11-22 10:00") == ["2026-11-23", "2026-11-30"]
    assert days(s.Month(2026, 12), "2026-11-22 10:00") == ["2026-12-01", "2027-01-01"]


def test_a_week_starts_on_the_day_of_the_workspace() -> None:
    assert days(s.ThisUnit("week"), "2026-11-22 10:00") == ["2026-11-16", "2026-11-23"]
    assert days(s.ThisUnit("week"), "2026-11-22 10:00", week_start=7) == ["2026-11-22", "2026-11-29"]


def test_t9_a_date_at_the_end_is_included_and_a_datetime_is_excluded() -> None:
    clock = Clock(at("2026-11-22 10:00"), "Asia/Shanghai")
    date, minute = s.Date(dt.date(2026, 1, 31)), s.DateTime(dt.datetime(2026, 1, 31, 12, 0))
    first = s.Date(dt.date(2026, 1, 1))
    assert windows.resolve_instants(s.BetweenDays(first, date), clock) == (at("2026-01-01"), at("2026-02-01"))
    assert windows.resolve_instants(s.BetweenDays(first, minute), clock) == (at("2026-01-01"), at("2026-01-31 12:00"))


def test_t10_a_datetime_after_the_last_date_is_an_error() -> None:
    clock = Clock(at("2026-11-22 10:00"), "Asia/Shanghai")
    late = s.DateTime(dt.datetime(2026, 2, 1, 12, 0))
    with pytest.raises(RuleError, match="T10"):
        windows.resolve_instants(s.BetweenDays(late, s.Date(dt.date(2026, 1, 31))), clock)


def test_t1_t8_windows_of_events_end_at_as_of_and_those_of_attributes_do_not() -> None:
    clock = Clock(at("2026-11-22 10:00"), "Asia/Shanghai")
    since = s.Since(s.Date(dt.date(2026, 11, 1)))
    assert windows.resolve_instants(since, clock) == (at("2026-11-01"), None)
    assert windows.resolve_event_window(since, clock) == (at("2026-11-01"), clock.as_of_ms)
    assert (
        windows.resolve_event_window(None, clock)
        == windows.resolve_event_window(s.Ever(), clock)
        == (None, clock.as_of_ms)
    )
    future = s.Month(2027, 1)
    assert windows.resolve_event_window(future, clock) == (clock.as_of_ms, clock.as_of_ms)


@pytest.mark.parametrize(
    "window", [s.LastElapsed(s.Duration(30, "d")), s.Since(s.DateTime(dt.datetime(2026, 1, 1, 0, 0)))]
)
def test_t13_elapsed_time_has_no_days(window: s.Window) -> None:
    with pytest.raises(RuleError, match="T13"):
        windows.resolve_days(window, Clock(0, "UTC"))


@pytest.mark.parametrize("window", [s.LastUnits(9999, "year"), s.NextUnits(99_999_999, "month"), s.Month(9999, 12)])
def test_a_window_beyond_the_calendar_is_an_error(window: s.Window) -> None:
    with pytest.raises(RuleError, match="1 to 9999"):
        windows.resolve_instants(window, Clock(at("2026-11-22 10:00"), "Asia/Shanghai"))


# --- anniversaries ------------------------------------------------------------------------------


@given(st.dates(dt.date(1999, 1, 1), dt.date(2101, 1, 1)), st.integers(0, 800), st.sampled_from(["feb28", "mar1"]))
def test_t15_t17_month_days_are_those_with_an_anniversary_in_the_range(first: dt.date, length: int, leap: str) -> None:
    end = first + dt.timedelta(days=length)
    clock = Clock(0, "UTC", leap_day=leap)  # type: ignore[arg-type]
    got = {(year, day) for year, held in windows.month_days(first, end, clock) for day in held}
    expected = set()
    for year in range(first.year, end.year + 1):
        for month_day in (101, 227, 228, 229, 301, 731, 1231):
            month, day = divmod(month_day, 100)
            try:
                falls = dt.date(year, month, day)
            except ValueError:
                falls = dt.date(year, 2, 28) if leap == "feb28" else dt.date(year, 3, 1)
            if first <= falls < end:
                expected.add((year, month_day))
    probes = {(year, day) for year, day in got if day in (101, 227, 228, 229, 301, 731, 1231)}
    assert probes == expected
