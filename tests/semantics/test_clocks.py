"""Tests of the K, M and V points: two clocks, segments through time, versions."""

import pytest

from quanyu.dsl import RuleError, format_rule
from tests.semantics.world import ago, at, did, has


def test_k1_an_event_counts_if_it_occurred_before_as_of_and_arrived_by_known_at(world):
    w = world(a=[did("order", ago("5d"))], b=[has(points=1)])
    before = w.add(b=[did("order", ago("5d"))])
    assert w.holds("did order") == {"a", "b"}
    assert w.holds("did order", known_at=before) == {"a"}
    assert w.holds("did order", known_at=before + 1) == {"a", "b"}
    assert w.holds("did order", as_of=ago("5d")) == set()
    assert w.holds("did order", as_of=ago("5d", 1)) == {"a", "b"}


def test_k2_the_first_copy_counts_and_a_copy_with_other_contents_is_rejected(world):
    w = world(a=[did("order", ago("1d"), id="1", amount=5)])
    (reject,) = w.refused(a=[did("order", ago("1d"), id="1", amount=9)])
    assert "other contents" in reject.message
    assert not w.refused(a=[did("order", ago("1d"), id="1", amount=5)])
    w.add(a=[did("order", ago("1d"), id="1", source="app", amount=7)])
    assert w.holds("sum(order.amount) = 12") == {"a"}


def test_k3_events_at_one_instant_are_ordered_by_source_then_id(world):
    when = ago("1d")
    w = world(
        a=[
            did("order", when, source="b", id="k3-1", note="last"),
            did("order", when, source="a", id="k3-2", note="first"),
        ],
        b=[did("order", when, id="k3-9", note="last"), did("order", when, id="k3-10", note="first")],
    )
    assert w.holds("latest(order.note) = 'last'") == {"a", "b"}
    assert w.holds("earliest(order.note) = 'first'") == {"a", "b"}
    assert w.holds("did (order then order)") == set()


def test_k4_an_attribute_has_its_latest_value_before_as_of(world):
    w = world(
        a=[has(when=ago("2d"), points=2), has(when=ago("9d"), points=1)],
        always=[has(points=5)],
        cleared=[has(points=5), has(when=ago("1d"), points=None)],
        replaced=[has(tastes=["spicy"]), has(when=ago("1d"), tastes=["vegan"])],
    )
    assert w.holds("points = 2") == {"a"}
    assert w.holds("points = 1", as_of=ago("3d")) == {"a"}
    assert w.holds("points = 1", as_of=ago("2d")) == {"a"}  # a change holds after its instant
    assert w.holds("points = 2", as_of=ago("2d", 1)) == {"a"}
    assert w.holds("points = 5", as_of="1990-01-01 00:00") == {"always", "cleared"}
    assert w.says("points is known")["cleared"] is False
    assert w.holds("tastes has any ['spicy']") == set()
    assert w.holds("tastes has any ['vegan']") == {"replaced"}


def test_k5_a_past_membership_uses_the_known_at_of_the_question(world):
    w = world(rules="segment s: did order", a=[has(points=1)])
    before = w.add(a=[did("order", ago("9d"))])
    assert w.holds("was in segment s 5d ago") == {"a"}
    assert w.holds("was in segment s 5d ago", known_at=before) == set()


def test_k6_merges_and_splits_follow_known_at_only(world):
    phone = "13812340001"
    w = world(a=[did("order", ago("9d"))], b=[did("scan", ago("8d")), has(when=ago("8d"), phone=phone)])
    before = w.add(a=[has(when=ago("1d"), phone=phone)])
    assert w.oneid("a") == w.oneid("b")
    both = "did order and did scan"
    assert w.holds(both, as_of=ago("5d")) == {"a", "b"}
    assert w.answer(both, known_at=before).matched(0) == 0
    merged = w.split("a", "b")
    assert w.holds(both) == set()
    assert w.answer(both, known_at=merged).matched(0) == 1


def test_k7_a_known_at_includes_only_records_appended_before_it(world):
    w = world(a=[did("order", ago("1d"))])
    first = w.add(a=[did("order", ago("2d"))])
    second = w.add(a=[did("order", ago("3d"))])
    assert [w.says("count(order) = 2", known_at=offset)["a"] for offset in (first, second, w.end)] == [
        False,
        True,
        False,
    ]


def test_k8_an_event_counts_at_its_occurred_at_and_far_future_times_are_rejected(world):
    w = world(a=[did("order", "2096-01-01 00:00")])
    assert w.holds("did order", as_of="2096-01-02 00:00") == {"a"}
    (reject,) = w.refused(a=[did("order", "2196-01-01 00:00")])
    assert reject.reason == "FUTURE_TIME"


def test_k9_catalogs_and_settings_obey_known_at(world):
    w = world(items={("product", "p"): {"category": "tea"}}, a=[did("order", ago("1d"), product_id="p")])
    before = w.put_item("product", "p", category="coffee")
    coffee = "did order where (product.category = 'coffee')"
    assert w.holds(coffee) == {"a"}
    assert w.holds(coffee, known_at=before) == set()
    monday = w.declare(w.schema, week_start=1, day_start_minutes=240)
    assert w.clock(known_at=monday).day_start == 0
    assert w.clock().day_start == 240


# Segments through time.


def test_m1_was_in_segment_on_a_day_is_the_membership_at_its_start(world):
    start = at("2026-11-10 00:00")
    w = world(rules="segment s: did order", **{f"m{ms}": [has(points=1), did("order", start + ms)] for ms in (-1, 0)})
    assert w.holds("was in segment s on 2026-11-10") == {"m-1"}
    (window,) = [w for w in w.compiled("was in segment s on 2026-11-10").windows if w.text.startswith("was")]
    assert window.from_ms == window.to_ms == start


def test_m2_a_day_after_as_of_is_an_error_and_is_false_in_an_earlier_evaluation(world):
    w = world(rules="segment s: did order segment t: was in segment s on 2026-11-10", a=[did("order", ago("90d"))])
    with pytest.raises(RuleError, match="M2"):
        w.compiled("was in segment s on 2026-11-23")
    assert w.holds("in segment t") == {"a"}
    assert w.says("was in segment t on 2026-11-01") == {"a": False}


def test_m3_entered_and_left_compare_only_both_ends_of_the_window(world):
    w = world(
        rules="segment active: did order in last 10d",
        came=[has(points=1), did("order", ago("3d"))],
        went=[did("order", ago("15d"))],
        stayed=[did("order", ago("15d")), did("order", ago("3d"))],
        between=[did("order", ago("17d", 1000)), did("order", ago("26d"))],
        fresh=[did("order", ago("1d"))],
    )
    assert w.holds("entered segment active in last 7d") == {"came", "fresh"}
    assert w.holds("left segment active in last 7d") == {"went", "between"}
    assert w.holds("entered segment active between 5d and 30d ago") == {"went", "stayed"}


def test_m4_an_event_exactly_at_an_end_of_the_window_does_not_count(world):
    w = world(
        rules="segment s: did order",
        **{f"start{ms}": [has(points=1), did("order", ago("7d", ms))] for ms in (-1, 0)},
        **{f"end{ms}": [has(points=1), did("order", ago("0d", ms))] for ms in (-1, 0)},
    )
    assert w.holds("entered segment s in last 7d") == {"start0", "end-1"}
    assert w.holds("entered segment s in this month") == {"start-1", "start0", "end-1"}


def test_m5_entered_over_several_units_is_judged_unit_by_unit(world):
    w = world(
        rules="segment s: did order in last 1d",
        twice=[has(points=1), did("order", "2026-11-01 18:00"), did("order", "2026-11-15 18:00")],
        once=[has(points=1), did("order", "2026-11-15 18:00")],
        stayed=[has(points=1), did("order", "2026-11-08 18:00"), did("order", "2026-11-15 18:00")],
    )
    assert w.holds("entered segment s in at least 2 of last 3 calendar weeks") == {"twice"}
    assert w.holds("entered segment s in exactly 1 of last 3 calendar weeks") == {"once", "stayed"}
    assert w.holds("entered segment s ever", as_of="2026-11-16 10:00") == {"twice", "once", "stayed"}
    assert w.holds("left segment s ever") == set()


def test_m6_ranks_and_calendar_turns_move_people_who_did_nothing(world):
    w = world(
        rules="segment top: points in top 1 segment lately: did order in this month",
        still=[has(points=5), did("order", at("2026-10-31 12:00"))],
        risen=[has(points=1), has(when=ago("1d"), points=9)],
    )
    assert w.holds("left segment top in last 7d") == {"still"}
    assert w.holds("left segment lately between 2026-10-31 23:00 and 2026-11-01 01:00") == {"still"}


def test_m7_a_past_membership_uses_the_given_version_with_its_among_and_ranks_of_then(world):
    w = world(
        rules="segment base: did order segment top among base: points in top 1",
        a=[did("order", ago("90d")), has(points=5)],
        b=[has(points=7), did("order", ago("3d"))],
    )
    w.publish("segment top@2 among base: points in bottom 1")
    assert w.holds("was in segment top@1 30d ago") == {"a"}
    assert w.holds("in segment top@1") == {"b"}
    assert w.holds("was in segment top 30d ago") == w.holds("in segment top") == {"a"}


# Versions.


def test_v1_a_version_that_is_declared_twice_is_refused(world):
    w = world(rules="segment s: did order", a=[has(points=1)])
    assert w.library.newest("s") == 1
    with pytest.raises(RuleError) as refused:
        w.publish("segment s: did scan")
    assert refused.value.suggestions == ("s@2",)


def test_v2_publishing_binds_names_to_versions_all_the_way_down(world):
    w = world(
        rules="define touch = order segment s: did touch", a=[did("scan", ago("1d"))], b=[did("order", ago("1d"))]
    )
    w.publish("define touch@2 = scan segment t: did touch")
    assert w.holds("in segment s") == {"b"}
    assert w.holds("in segment t") == {"a"}
    assert "touch@1" in format_rule(w.library.get("s", 1))


def test_v3_a_past_evaluation_uses_the_bound_version(world):
    w = world(rules="segment s: did scan", a=[did("scan", ago("9d"))], b=[did("order", ago("9d"))])
    w.publish("segment s@2: did order")
    assert w.holds("was in segment s 5d ago") == {"b"}
    assert w.holds("was in segment s@1 5d ago") == {"a"}


def test_v4_a_recency_binds_as_its_definition_does(world):
    w = world(rules="define touch = order", a=[did("scan", ago("9d"))], b=[did("order", ago("9d"))])
    w.publish("define touch@2 = scan")
    assert w.holds("last_touch > 1d") == {"a"}
    assert w.holds("last_touch@1 > 1d") == {"b"}
