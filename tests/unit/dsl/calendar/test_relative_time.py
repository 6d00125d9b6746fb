"""Relative instants, and the time for which a compiled segment stays valid."""

import json
from dataclasses import replace

import pytest

from quanyu.dsl import check_and_bind, compile_live_segment
from quanyu.dsl.calendar.relative_time import RelativeInstant, Validity
from quanyu.dsl.calendar.windows import add_units
from tests.unit.dsl.planning.compiled import DAY
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

NEXT_DAY = CLOCK.day_start_ms(CLOCK.today) + DAY
NEXT_WEEK = CLOCK.day_start_ms(add_units(CLOCK.unit_start(CLOCK.today, "week"), 1, "week"))
NEXT_MONTH = CLOCK.day_start_ms(add_units(CLOCK.unit_start(CLOCK.today, "month"), 1, "month"))


@pytest.mark.parametrize(
    ("condition", "valid_ms"),
    [
        ("did order in last 30d", None),
        ("last_touch > 30d", None),
        ("did order today", NEXT_DAY - NOW),
        ("anniversary of birthday in next 7 calendar days", NEXT_DAY - NOW),
        ("did order in last 1 calendar week", NEXT_WEEK - NOW),
        ("did order in this month", NEXT_MONTH - NOW),
        ("did order in each of last 3 calendar months", NEXT_MONTH - NOW),
        ("was in segment vip 30d ago", None),
    ],
)
def test_calendar_windows_are_valid_until_their_unit_ends_and_elapsed_windows_always(
    condition: str, valid_ms: int | None
) -> None:
    library = LIBRARY.publish(check_and_bind(f"segment probe: {condition}", CATALOG, LIBRARY))
    root, ms = compile_live_segment("probe", 1, library, CATALOG, CLOCK)
    assert json.loads(root)["name"] == "probe@1"
    assert ms == valid_ms


def test_a_future_end_of_a_window_limits_the_validity() -> None:
    later = CLOCK.local_time(NOW + 10 * DAY).date()
    library = LIBRARY.publish(check_and_bind(f"segment probe: did order before {later}", CATALOG, LIBRARY))
    _, ms = compile_live_segment("probe", 1, library, CATALOG, CLOCK)
    assert ms == CLOCK.day_start_ms(later) - NOW


def test_the_days_of_a_window_change_when_it_reaches_the_earliest_event() -> None:
    clock = replace(CLOCK, earliest_ms=NOW - DAY)
    rule = "segment probe: days(order between 30d and 2d ago) > 3"
    library = LIBRARY.publish(check_and_bind(rule, CATALOG, LIBRARY))
    _, ms = compile_live_segment("probe", 1, library, CATALOG, clock)
    # The last instant of the window is one millisecond before its end.
    assert ms == DAY + 1


def test_the_difference_of_two_relative_instants_is_a_plain_duration() -> None:
    now = RelativeInstant(NOW)
    assert type(now - DAY) is type(now + DAY) is type(now - (NOW - DAY)) is RelativeInstant
    assert type(now - (now - DAY)) is int
    assert now - (now - DAY) == DAY


def test_the_smallest_limit_of_a_validity_counts_and_is_at_least_a_millisecond() -> None:
    validity = Validity()
    validity.limit(7)
    validity.limit(9)
    assert validity.ms == 7
    validity.limit(-3)
    assert validity.ms == 1
