"""Calendar windows against Polars, which has its own implementation of time zones and truncation."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quanyu.dsl import Clock
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.syntax import CalendarUnit
from tests.seed import examples

# Without zones that set their clocks back across midnight: there, a local day differs from the date on the clock (T6).
ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"]
EVERY = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
# Days of clock changes, and ends of months.
DAYS = ["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2018-11-04", "2024-02-29", "2026-01-31"]

near_changes = st.builds(
    lambda day, hours, ms: (
        int(dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp() * 1000) + hours * 3_600_000 + ms
    ),
    st.sampled_from(DAYS),
    st.integers(-40, 40),
    st.sampled_from([-1, 0, 1, 1_800_000]),
)
instants = near_changes | st.integers(631_152_000_000, 2_208_988_800_000)  # 1990 to 2040
units = st.sampled_from(list(EVERY))


def local(ms: int, zone: str) -> pl.Series:
    """Returns the local time without its zone."""
    return pl.Series([ms]).cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(zone).dt.replace_time_zone(None)


def instant(wall: pl.Series, zone: str) -> int | None:
    """Returns the instant of a local time; None in a gap of the clock."""
    found = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("ms")[0]
    return None if found is None else int(found)


def first_of(wall: pl.Series, unit: CalendarUnit, week_start: int) -> pl.Series:
    """Returns midnight of the first day of the unit. Weeks of Polars begin on Monday."""
    shift = f"{week_start - 1}d" if unit == "week" else "0d"
    return wall.dt.offset_by(f"-{shift}").dt.truncate(EVERY[unit]).dt.offset_by(shift)


@examples(400)
@given(instants, st.sampled_from(ZONES), units, st.integers(1, 7), st.sampled_from([0, 240]), st.integers(1, 40))
def test_ends_of_windows_agree_with_polars(
    as_of: int, zone: str, unit: CalendarUnit, week_start: int, day_start: int, number: int
) -> None:
    clock = Clock(as_of, zone, week_start=week_start, day_start=day_start)
    day = local(as_of, zone).dt.offset_by(f"-{day_start}m")
    this = first_of(day, unit, week_start)

    def start_of(count: int) -> int | None:
        """Returns the start of the unit that is `count` units after the current one."""
        step = EVERY[unit].replace("1", str(abs(count)), 1)
        return instant(this.dt.offset_by(f"{'-' if count < 0 else ''}{step}").dt.offset_by(f"{day_start}m"), zone)

    expected = {
        s.ThisUnit(unit): (start_of(0), start_of(1)),
        s.LastUnit(unit): (start_of(-1), start_of(0)),
        s.LastUnits(number, unit): (start_of(-number), start_of(0)),
        s.NextUnits(number, unit): (start_of(1), start_of(1 + number)),
    }
    for window, ends in expected.items():
        assume(None not in ends)
        assert windows.resolve_instants(window, clock) == ends, window


@examples(200)
@given(st.dates(dt.date(1960, 1, 1), dt.date(2030, 12, 31)), st.integers(1, 60), st.integers(-3, 3))
def test_anniversaries_agree_with_polars(born: dt.date, years: int, shift: int) -> None:
    """In common years, the anniversary of 29 February is on the 28th."""
    falls = pl.Series([born]).dt.offset_by(f"{years}y")[0]
    day = falls + dt.timedelta(days=shift)
    held = windows.month_days(day, day + dt.timedelta(days=1), Clock(0, "UTC"))
    is_anniversary = any(born.month * 100 + born.day in days for year, days in held if year == falls.year)
    assert is_anniversary == (shift == 0)


@pytest.mark.parametrize("zone", ZONES)
@examples(100)
@given(st.integers(0, 1439), st.sampled_from(DAYS))
def test_the_instant_of_a_datetime_agrees_with_polars(zone: str, minute: int, day: str) -> None:
    wall = dt.datetime.fromisoformat(day) + dt.timedelta(minutes=minute)
    expected = instant(pl.Series([wall]).cast(pl.Datetime("ms")), zone)
    assume(expected is not None)
    assert windows.when_ms(s.DateTime(wall), Clock(0, zone)) == expected


@examples(200)
@given(
    st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)),
    st.sampled_from(["month", "quarter", "year"]),
    st.integers(-30, 30),
)
def test_added_months_quarters_and_years_agree_with_polars(day: dt.date, unit: CalendarUnit, number: int) -> None:
    first = Clock(0, "UTC").unit_start(day, unit)
    step = EVERY[unit].replace("1", str(abs(number)), 1)
    assert pl.Series([day]).dt.truncate(EVERY[unit])[0] == first
    assert pl.Series([first]).dt.offset_by(f"{'-' if number < 0 else ''}{step}")[0] == windows.add_units(
        first, number, unit
    )
