"""Tests of the E and Q points: what people did, how often, and in which order."""

import pytest

from quanyu.dsl import RuleError
from quanyu.dsl.parsing.parser import parse_condition
from tests.semantics.world import ago, at, did, has


def orders(*whens, **values):
    return [did("order", when, **values) for when in whens]


def test_e1_an_event_that_fits_two_steps_of_a_definition_counts_once(world):
    rules = "define a = order or (order where (amount > 1)) define b = a or order or scan"
    w = world(rules=rules, a=[did("order", ago("1d"), amount=5)], b=orders(ago("1d"), ago("2d")))
    assert w.holds("count(a) = 1") == {"a"}
    assert w.holds("did b exactly 2 times") == {"b"}


def test_e2_rules_may_use_rules_and_a_cycle_is_an_error_that_prints_it(world):
    w = world(rules="metric m = count(order) metric n = m + 1 segment s: n > 2", a=orders(ago("1d"), ago("2d")))
    assert w.holds("in segment s") == {"a"}
    with pytest.raises(RuleError, match="x@1 → y@1 → x@1"):
        w.publish("segment x: in segment y segment y: in segment x")


def test_e3_a_number_of_times_needs_at_least_at_most_or_exactly(world):
    with pytest.raises(RuleError, match="E3") as refused:
        parse_condition("did order 3 times")
    assert refused.value.suggestions == ("at least 3 times", "at most 3 times", "exactly 3 times")
    w = world(**{f"n{n}": [has(points=1), *orders(*[ago("1d", i) for i in range(n)])] for n in range(5)})
    assert w.holds("did order at least 3 times") == {"n3", "n4"}
    assert w.holds("did order at most 3 times") == {"n0", "n1", "n2", "n3"}
    assert w.holds("did order exactly 3 times") == {"n3"}


def test_e4_for_the_first_time_is_about_the_first_event_that_matches_the_filter(world):
    w = world(
        first=[did("order", ago("3d"), amount=9)],
        cheap=[did("order", ago("30d"), amount=1), did("order", ago("3d"), amount=9)],
        old=[did("order", ago("30d"), amount=9), did("order", ago("3d"), amount=9)],
    )
    assert w.holds("did order for the first time in last 7d") == {"first"}
    assert w.holds("did order where (amount > 5) for the first time in last 7d") == {"first", "cheap"}


def test_e5_not_for_the_first_time_is_true_for_people_who_never_did(world):
    w = world(first=orders(ago("3d")), old=orders(ago("30d")), never=[has(points=1)])
    assert w.holds("did not order for the first time in last 7d") == {"old", "never"}


def test_e6_exactly_0_times_is_did_not_and_did_not_denies_the_number(world):
    w = world(none=[has(points=1)], two=orders(ago("1d"), ago("2d")), three=orders(ago("1d"), ago("2d"), ago("3d")))
    assert w.holds("did order exactly 0 times") == w.holds("did not order") == {"none"}
    assert w.holds("did order at least 0 times") == {"none", "two", "three"}
    assert w.holds("did not order at least 3 times") == {"none", "two"}


WEEKS = ("2026-10-19 12:00", "2026-10-26 12:00", "2026-11-02 12:00", "2026-11-09 12:00")


def test_e7_did_not_denies_the_whole_condition_over_several_units(world):
    w = world(one=orders(*WEEKS[:1]), two=orders(*WEEKS[:2]), three=orders(*WEEKS[:3]))
    assert w.holds("did not order in at least 3 of last 4 calendar weeks") == {"one", "two"}
    assert w.holds("did order exactly 0 times in at least 3 of last 4 calendar weeks") == {"one"}


def test_e8_each_of_several_units_is_judged_alone(world):
    monday = at("2026-11-16 00:00")
    w = world(
        each=orders(*WEEKS),
        three=orders(*WEEKS[1:], "2026-11-18 12:00"),
        edges=orders(at("2026-10-19 00:00"), at("2026-11-02 00:00", "UTC"), monday - 1),
        twice=orders(*WEEKS, *(when.replace("12:", "13:") for when in WEEKS)),
        split=[did("scan", monday - 60_000), did("order", monday + 60_000)],
        whole=[did("scan", monday - 120_000), did("order", monday - 60_000)],
    )
    assert w.holds("did order in each of last 4 calendar weeks") == {"each", "twice"}
    assert w.holds("did order in exactly 3 of last 4 calendar weeks") == {"three", "edges"}
    assert w.holds("did order at least 2 times in each of last 4 calendar weeks") == {"twice"}
    assert w.holds("did (scan then order) in at least 1 of last 4 calendar weeks") == {"whole"}
    assert w.holds("did order in at most 0 of last 4 calendar weeks") == {"split"}


def test_e9_values_of_the_person_inside_where_are_as_of_the_question(world):
    w = world(a=[did("order", ago("9d"), quantity=5), has(when=ago("1d"), points=3)])
    assert w.holds("did order where (quantity > points)") == {"a"}
    assert w.holds("did order where (quantity > points)", ago("2d")) == set()
    for inside in ("did scan ever", "in segment s", "sample 5% seed 'x'", "amount in top 5", "quintile(points) = 5"):
        with pytest.raises(RuleError, match="E9"):
            w.compiled(f"did order where ({inside})")


def test_e10_events_at_one_instant_with_different_keys_are_separate(world):
    w = world(a=orders(ago("1d"), ago("1d")), b=[did("order", ago("1d"), id="x"), did("order", ago("1d"), id="x")])
    assert w.holds("did order exactly 2 times") == {"a"}
    assert w.holds("did order exactly 1 times") == {"b"}


def test_e11_the_event_type_says_which_events_are_orders(world):
    w = world(a=[did("order", ago("1d"))], b=[did("refund", ago("1d"))])
    assert w.holds("did order") == {"a"}


def test_e12_only_events_that_count_as_seen_make_channel_and_last_seen(world):
    w = world(
        a=[
            did("scan", ago("5d"), channel="pos"),
            did("imported", ago("1d"), channel="web"),
            has(when=ago("1d"), vip=True),
        ],
        b=[did("imported", ago("1d"), channel="web")],
    )
    assert w.says("channel in ['web']") == {"a": False, "b": False}
    assert w.says("channel in ['pos']") == {"a": True, "b": False}
    assert w.says("last_seen > 3d") == {"a": True, "b": None}
    assert w.says("last_imported < 3d") == {"a": True, "b": True}


# Sequences. Times are minutes after DAY.

DAY = at("2026-11-20 08:00")


def steps(**minutes):
    """Returns events by type at a minute or at several; each may be (minute, properties)."""
    made = []
    for kind, when in minutes.items():
        for one in when if isinstance(when, list) else [when]:
            minute, values = one if isinstance(one, tuple) else (one, {})
            made.append(did(kind, int(DAY + minute * 60_000), **values))
    return made


MS = 1 / 60_000


def test_q1_steps_are_at_strictly_increasing_times(world):
    w = world(same=steps(scan=0, order=0), after=steps(scan=0, order=MS), before=steps(scan=MS, order=0))
    assert w.holds("did (scan then order)") == {"after"}
    w = world(one=steps(order=0), two=steps(order=[0, MS]))
    assert w.holds("did (order then order)") == {"two"}


def test_q2_q3_within_and_after_include_a_gap_of_exactly_their_length(world):
    gaps = {"less": 120 - MS, "edge": 120, "more": 120 + MS}
    w = world(**{name: steps(scan=0, order=gap) for name, gap in gaps.items()})
    assert w.holds("did (scan then order within 2h)") == {"less", "edge"}
    assert w.holds("did (scan then order after 2h)") == {"edge", "more"}


def test_q4_without_forbids_events_strictly_between_its_neighbours(world):
    refunds = {"at_first": 0, "between": MS, "at_last": 10, "after": 11, "before": -1}
    w = world(**{name: steps(scan=0, order=10, refund=minute) for name, minute in refunds.items()})
    assert w.holds("did (scan without refund then order)") == {"at_first", "at_last", "after", "before"}
    assert w.holds("did (scan then order without refund) ever") == {"at_first", "between", "at_last", "before"}


def test_q5_after_the_last_step_without_reaches_to_the_windows_end(world):
    w = world(
        bounced=steps(scan=0),
        bought=steps(scan=0, order=60),
        later=[*steps(scan=0), did("order", at("2026-11-21 00:00"))],
        not_yet=[*steps(scan=0), did("order", ago("0d"))],
    )
    assert w.holds("did (scan without order) on 2026-11-20") == {"bounced", "later", "not_yet"}
    assert w.holds("did (scan without order)") == {"bounced", "not_yet"}


def test_q6_a_forbidden_event_breaks_only_with_the_same_value(world):
    s1, s2 = {"store_id": "s1"}, {"store_id": "s2"}
    w = world(
        same=steps(scan=(0, s1), order=(10, s1), refund=(5, s1)),
        other=steps(scan=(0, s1), order=(10, s1), refund=(5, s2)),
        nowhere=steps(scan=(0, s1), order=(10, s1), refund=5),
    )
    assert w.holds("did (scan without refund then order) by store_id") == {"other", "nowhere"}


def test_q7_an_event_without_the_value_fits_no_step(world):
    items = {("store", "s1"): {"city": "上海"}, ("store", "s2"): {"city": "上海"}, ("store", "s3"): {}}
    w = world(
        items=items,
        same=steps(scan=(0, {"store_id": "s1"}), order=(1, {"store_id": "s1"})),
        city=steps(scan=(0, {"store_id": "s1"}), order=(1, {"store_id": "s2"})),
        none=steps(scan=0, order=1),
        unknown=steps(scan=(0, {"store_id": "s3"}), order=(1, {"store_id": "s3"})),
    )
    assert w.holds("did (scan then order) by store_id") == {"same", "unknown"}
    assert w.holds("did (scan then order) by store.city") == {"same", "city"}


def test_q8_after_and_within_bound_one_gap_and_several_without_may_stand_in_it(world):
    w = world(**{f"m{m}": steps(scan=0, order=m) for m in (59, 60, 120, 121)}, twice=steps(scan=0, order=[1, 90]))
    assert w.holds("did (scan then order after 1h within 2h)") == {"m60", "m120", "twice"}
    w = world(a=steps(scan=0, order=9, refund=5), b=steps(scan=0, order=9, review=5), c=steps(scan=0, order=9))
    assert w.holds("did (scan without refund without review then order)") == {"c"}


def test_q9_all_steps_lie_in_the_window(world):
    midnight = at("2026-11-20 00:00")
    w = world(
        across=[did("scan", midnight - 1), did("order", midnight + 1)],
        inside=[did("scan", midnight), did("order", midnight + 1)],
        broken=[did("refund", midnight - 1), did("scan", midnight), did("order", midnight + 1)],
    )
    assert w.holds("did (scan then order) on 2026-11-20") == {"inside", "broken"}


def test_q10_a_sequence_is_true_if_any_choice_of_events_fits(world):
    w = world(a=steps(scan=[0, 100], order=[50, 150], review=160))
    assert w.holds("did (scan then order within 50min then review within 10min)") == {"a"}
    w = world(nearest_fails=steps(scan=[0, 10], order=30, refund=5), both_fail=steps(scan=[0, 10], order=30, refund=15))
    assert w.holds("did (scan without refund then order)") == {"nearest_fails"}


def test_q11_steps_may_overlap_in_kind(world):
    w = world(
        rules="define touch = order or scan", two=steps(order=[0, 1]), one=steps(order=0), mixed=steps(scan=0, order=1)
    )
    assert w.holds("did (touch then order)") == {"two", "mixed"}


def test_q12_after_longer_than_within_is_never_true(world):
    w = world(**{f"m{m}": steps(scan=0, order=m) for m in (1, 60, 90, 120, 200)})
    assert w.holds("did (scan then order after 2h within 1h)") == set()
