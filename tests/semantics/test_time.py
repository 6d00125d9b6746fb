"""Tests of the T points: windows, with events on both sides of each end. 22 November 2026 is a Sunday."""

import pytest

from quanyu.dsl import RuleError
from quanyu.dsl.parsing.parser import parse_condition
from tests.semantics.world import ago, at, did, has


def around(*edges: int) -> dict[str, list]:
    """Returns three people for each edge: with an order one millisecond before it, at it, and one after it."""
    shifts = {"before": -1, "at": 0, "after": 1}
    return {f"{name}{n}": [did("order", edge + ms)] for n, edge in enumerate(edges) for name, ms in shifts.items()}


def test_t0_a_window_includes_its_start_and_not_its_end(world):
    w = world(**around(ago("720h"), ago("0h")))
    assert w.holds("did order in last 30d") == {"at0", "after0", "before1"}
    assert w.holds("did order between 10d and 30d ago") == {"at0", "after0"}
    window = w.compiled("did order in last 30d").windows[0]
    assert (window.from_ms, window.to_ms) == (ago("720h"), ago("0h"))


def test_t0_elapsed_time_ignores_clock_changes(world):
    zone = "America/New_York"  # turned back on 1 November 2026, 2:00
    now = at("2026-11-01 12:00", zone)
    w = world(zone=zone, **around(now - 86_400_000, at("2026-10-31 12:00", zone), at("2026-10-31 00:00", zone)))
    assert w.holds("did order in last 1d", now) == {"at0", "after0"}
    assert w.holds("did order yesterday", now) == {"at2", "after2", "before1", "at1", "after1"} | {
        "before0",
        "at0",
        "after0",
    }


def test_t1_events_count_up_to_as_of_and_not_in_future_windows(world):
    w = world(**around(ago("0h")), later=[did("order", ago("-1h"))], signed=[has(signup_at=ago("-2h"))])
    assert w.holds("did order today") == {"before0"}
    assert w.holds("did order ever") == {"before0"}
    assert w.holds("count(order) > 0") == {"before0"}
    assert w.holds("signup_at today") == {"signed"}
    with pytest.raises(RuleError, match="T1") as refused:
        parse_condition("did order in next 7d")
    assert refused.value.suggestions == ("last 7d",)


def test_t2_no_window_means_ever(world):
    w = world(a=[did("order", "1990-01-01 00:00")])
    assert w.holds("did order") == w.holds("did order ever") == {"a"}


def test_t3_an_event_at_the_edge_is_in_the_window_and_not_longer_ago(world):
    w = world(**around(ago("720h")))
    assert w.holds("did order in last 30d") == {"at0", "after0"}
    assert w.holds("last_order > 30d") == {"before0"}
    assert w.holds("last_order >= 30d") == {"before0", "at0"}
    assert w.holds("last_order < 30d") == {"after0"}


def test_t4_the_current_unit_is_the_one_that_holds_as_of(world):
    w = world(**around(at("2026-02-01 00:00"), at("2026-01-01 00:00")))
    now = at("2026-02-01 00:00")
    assert w.holds("did order in this month", now) == set()
    assert w.holds("did order in last month", now) == {"at1", "after1", "before0"}
    assert w.holds("did order in last month", now - 1) == {"before1"}


def test_t5_the_day_start_moves_every_calendar_unit(world):
    settings = {"day_start_minutes": 240}
    people = around(at("2026-02-01 04:00"), at("2026-02-01 03:00"))
    w = world(settings=settings, born=[has(birthday="02-01")], **people)
    assert w.holds("did order in 2026-01") == {"before0", "before1", "at1", "after1"}
    assert w.holds("did order on 2026-02-01") == {"at0", "after0"}
    assert w.holds("did order since 2026-02-01 03:00") == {"at0", "before0", "after0", "at1", "after1"}
    assert w.holds("anniversary of birthday today", "2026-02-01 03:59") == set()
    assert w.holds("anniversary of birthday today", "2026-02-01 04:00") == {"born"}
    both = world(settings=settings, a=[did("order", "2026-02-01 03:00"), did("order", "2026-02-01 05:00")])
    assert both.holds("days(order) = 2") == {"a"}


def test_t6_a_day_begins_at_the_end_of_a_gap_and_at_the_first_pass_of_a_fold(world):
    gap = at("2018-11-04 01:00", "America/Sao_Paulo")  # midnight does not exist
    w = world(zone="America/Sao_Paulo", **around(gap))
    assert w.holds("did order on 2018-11-04") == {"at0", "after0"}
    assert w.holds("did order on 2018-11-03") == {"before0"}
    first = at("2026-11-01 01:00", "America/New_York")  # and again an hour later
    w = world(zone="America/New_York", settings={"day_start_minutes": 60}, **around(first, first + 3_600_000))
    assert w.holds("did order on 2026-11-01") == {"at0", "after0", "before1", "at1", "after1"}


def test_t7_an_event_is_on_exactly_one_local_day(world):
    w = world(zone="America/New_York", **around(*(at(f"2026-11-0{day} 00:00", "America/New_York") for day in (1, 2))))
    assert w.holds("did order on 2026-11-01") == {"at0", "after0", "before1"}
    assert w.holds("did order on 2026-10-31") == {"before0"}
    assert w.holds("did order on 2026-11-02") == {"at1", "after1"}


def test_t8_since_includes_the_start_of_the_day_and_before_does_not(world):
    w = world(**around(at("2026-11-01 00:00")), later=[did("order", ago("-1d"))], signed=[has(signup_at=ago("-9d"))])
    assert w.holds("did order since 2026-11-01") == {"at0", "after0"}
    assert w.holds("did order before 2026-11-01") == {"before0"}
    assert w.holds("did order since 2026-11-01 00:00") == {"at0", "after0"}
    assert w.holds("signup_at since 2026-11-01") == {"signed"}
    fold = at("2026-11-01 01:30", "America/New_York")
    w = world(zone="America/New_York", **around(fold, fold + 3_600_000))
    assert w.holds("did order before 2026-11-01 01:30") == {"before0"}


def test_t9_between_includes_a_date_at_its_end_and_excludes_a_datetime(world):
    w = world(
        **around(at("2026-11-10 00:00"), at("2026-11-12 00:00"), at("2026-11-13 00:00")),
        signed=[has(signup_at="2026-11-12 18:00")],
    )
    assert w.holds("did order between 2026-11-10 and 2026-11-12") == {
        *("at0", "after0", "before1", "at1", "after1", "before2")
    }
    assert w.holds("did order between 2026-11-10 and 2026-11-12 00:00") == {"at0", "after0", "before1"}
    assert w.holds("signup_at between 2026-11-10 and 2026-11-12") == {"signed"}
    assert w.holds("signup_at between 2026-11-10 and 2026-11-12 18:00") == set()
    assert w.holds("signup_at between 2026-11-10 and 2026-11-12 18:01") == {"signed"}


@pytest.mark.parametrize(
    "ends", ["2026-01-02 and 2026-01-01", "2026-01-02 and 2026-01-01 10:00", "2026-01-02 00:01 and 2026-01-02 00:00"]
)
def test_t10_written_ends_in_the_wrong_order_are_an_error(ends):
    for over in ("did order", "signup_at"):
        with pytest.raises(RuleError, match="wrong order"):
            parse_condition(f"{over} between {ends}")


def test_t11_between_durations_ago_takes_them_in_either_order(world):
    w = world(**around(ago("30d"), ago("7d")))
    expected = {"at0", "after0", "before1"}
    assert w.holds("did order between 7d and 30d ago") == w.holds("did order between 30d and 7d ago") == expected
    assert w.holds("last_order between 7d and 30d ago") == expected


def test_t12_last_and_next_over_attributes_meet_at_as_of(world):
    edges = {"past": "30d", "now": "0d", "future": "-30d"}
    people = {f"{k}{ms}": [has(signup_at=ago(e, ms))] for k, e in edges.items() for ms in (-1, 0)}
    w = world(**people)
    assert w.holds("signup_at in last 30d") == {"past0", "now-1"}
    assert w.holds("signup_at in next 30d") == {"now0", "future-1"}


def test_t13_a_date_in_elapsed_time_or_beside_a_datetime_is_an_error(world):
    w = world(a=[has(renewal="2026-12-01")])
    for rule in ("renewal in next 30d", "renewal > 2026-01-01 10:00", "renewal between 7d and 30d ago"):
        with pytest.raises(RuleError, match="T13"):
            w.compiled(rule)
    assert w.holds("renewal in next 30 calendar days") == {"a"}


def test_t14_the_date_itself_is_not_an_anniversary(world):
    w = world(new=[has(born="2026-11-22")], old=[has(born="2025-11-22")], md=[has(birthday="11-22")])
    assert w.holds("anniversary of born today") == {"old"}
    assert w.holds("anniversary of birthday today") == {"md"}


def test_t15_anniversaries_count_across_the_turn_of_the_year(world):
    days = {"a": "12-25", "b": "12-26", "c": "12-31", "d": "01-01", "e": "01-25", "f": "01-26"}
    w = world(**{name: [has(birthday=day)] for name, day in days.items()})
    assert w.holds("anniversary of birthday in next 31 calendar days", "2026-12-25 10:00") == {"b", "c", "d", "e"}


def test_t16_an_anniversary_in_elapsed_time_is_an_error():
    with pytest.raises(RuleError, match="T16") as refused:
        parse_condition("anniversary of birthday in next 7d")
    assert refused.value.suggestions == ("next 7 calendar days",)


@pytest.mark.parametrize(("march", "falls"), [(False, "2026-02-28"), (True, "2026-03-01")])
def test_t17_29_february_falls_where_the_workspace_says_in_common_years(world, march, falls):
    w = world(settings={"leap_day_is_march_first": march}, a=[has(birthday="02-29")], b=[has(born="2000-02-29")])
    for day in ("2026-02-28", "2026-03-01"):
        expected = {"a", "b"} if day == falls else set()
        assert w.holds("anniversary of birthday today or anniversary of born today", f"{day} 10:00") == expected
    assert w.holds("anniversary of birthday today", "2024-02-29 10:00") == {"a"}
    assert w.holds("anniversary of birthday today", "2024-02-28 10:00") == set()
    assert w.holds("anniversary of birthday today", "2024-03-01 10:00") == set()


def test_t18_quarters_and_years_begin_in_january(world):
    w = world(**around(*(at(f"2026-{month}-01 00:00") for month in ("01", "07", "10"))))
    assert w.holds("did order in this year") == {"at0", "after0"} | {f"{x}{n}" for n in (1, 2) for x in PLACES}
    assert w.holds("did order in last quarter") == {"at1", "after1", "before2"}
    assert w.holds("did order in this quarter") == {"at2", "after2"}


PLACES = ("before", "at", "after")


def test_t19_last_week_is_the_whole_local_week_before_this_one(world):
    w = world(**around(at("2026-11-09 00:00"), at("2026-11-16 00:00")))
    assert w.holds("did order in last week") == {"at0", "after0", "before1"}
    sunday = world(settings={"week_start": 7}, **around(at("2026-11-15 00:00"), at("2026-11-22 00:00")))
    assert sunday.holds("did order in last week") == {"at0", "after0", "before1"}
    assert w.holds("did order in last day", "2026-11-16 23:00") == {"before1"}
    window = w.compiled("did order in last week").windows[0]
    assert (window.from_ms, window.to_ms) == (at("2026-11-09 00:00"), at("2026-11-16 00:00"))


def test_t20_local_time_is_in_the_time_zone_of_the_workspace(world):
    midnight = at("2026-11-22 00:00")
    w = world(**around(midnight), items={("store", "s"): {"city": "北京"}})
    assert w.holds("did order today") == {"at0", "after0"}
    london = world(zone="Europe/London", **around(midnight, at("2026-11-22 00:00", "Europe/London")))
    assert london.holds("did order today", "2026-11-22 10:00") == {"at1", "after1"}


def test_t21_an_evaluation_uses_the_settings_in_force_at_known_at(world):
    w = world(**around(at("2026-11-16 00:00"), at("2026-11-22 00:00")))
    before = w.declare(w.schema, week_start=7)
    assert w.holds("did order in this week") == {"at1", "after1"}
    assert w.holds("did order in this week", known_at=before) == {"at0", "after0", "before1", "at1", "after1"}


def test_t22_finer_input_is_cut_to_the_millisecond(world):
    w = world(edge=[did("order", ago("30d"))])
    record = w._record("fine", did("order", ago("30d", -1)))
    record.event.occurred_at.nanos += 999_999
    w._people.append("fine")
    w._ingest([record])
    assert w.holds("did order in last 30d") == {"edge"}


def test_t23_an_as_of_in_the_future_assumes_that_nothing_further_happens(world):
    w = world(a=[did("order", ago("1d"))])
    assert w.holds("last_order > 3650d", "2046-01-01 00:00") == {"a"}
    assert w.holds("did order in last 30d", "2046-01-01 00:00") == set()


def test_t24_old_events_are_kept_so_every_window_is_exact(world):
    w = world(a=[did("order", "1999-01-01 00:00"), did("order", ago("1d"))])
    assert w.holds("did order at least 2 times in last 10957d") == {"a"}
    assert w.holds("days(order) = 2") == {"a"}
