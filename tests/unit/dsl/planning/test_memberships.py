"""Membership in segments, now and at earlier instants (M)."""

from typing import Any

import pytest

from quanyu.dsl import RuleError, compile_condition, compile_segment
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import DAY, compiled, cond, happened, local, num
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

NOBODY = {"op": "constant", "value": False}


def buyers(at: int = NOW) -> dict[str, Any]:
    """Returns membership at as-of or at an earlier instant."""
    members = {"of": happened("order", to=at), "among": None}
    return {"op": "set", **members} if at == NOW else {"op": "at", "as_of": at, **members}


def crossed(inside: Any, outside: Any) -> dict[str, Any]:
    return {"op": "all", "of": [inside, {"op": "not", "of": outside}]}


def test_was_in_segment_evaluates_the_segment_at_that_instant() -> None:
    assert cond("was in segment buyers 30d ago") == buyers(NOW - 30 * DAY)
    assert cond("was in segment buyers on 2026-10-01") == buyers(local("2026-10-01"))
    assert cond("not was in segment buyers 1min ago") == {"op": "not", "of": buyers(NOW - 60_000)}


def test_m1_the_instant_is_recorded_as_a_window() -> None:
    (ago,) = compiled("was in segment buyers 30d ago").windows
    assert (ago.text, ago.from_ms, ago.to_ms) == ("was in segment buyers@1 30d ago", NOW - 30 * DAY, NOW - 30 * DAY)
    (on,) = compiled("was in segment buyers on 2026-10-01").windows
    assert on.from_ms == on.to_ms == local("2026-10-01")


def test_m7_all_parts_of_a_past_segment_use_its_instant() -> None:
    then = NOW - 30 * DAY
    vip = cond("was in segment vip 30d ago")
    assert (vip["as_of"], vip["among"]) == (then, {"op": "set", "of": happened("order", to=then), "among": None})
    (window,) = [w for w in compiled("was in segment vip 30d ago").windows if w.text == "in last 90d"]
    assert (window.from_ms, window.to_ms) == (then - 90 * DAY, then)
    library = LIBRARY.publish(bind("segment s among buyers: points in top 10% and last_order < 3d and signup_at today"))
    rank, recency, today = cond("was in segment s 30d ago", library)["of"]["of"]
    assert rank["population"] == {"op": "set", "of": happened("order", to=then), "among": None}
    assert recency["left"]["of"]["events"]["to"] == then
    assert (today["from"], today["to"]) == (local("2026-10-23"), local("2026-10-24"))


def test_a_metric_is_evaluated_at_the_instant_of_the_segment_that_uses_it() -> None:
    library = LIBRARY.publish(bind("segment s: net_spend > 5 segment t: net_spend > 5 and was in segment s 30d ago"))
    now, before = to_json(compile_segment("t", 1, library, CATALOG, CLOCK).roots[0].cond)["of"]
    assert now["left"]["left"]["events"]["to"] == NOW
    assert before["of"]["left"]["left"]["events"]["to"] == NOW - 30 * DAY


def test_m2_a_future_day_is_an_error_and_is_false_in_an_earlier_evaluation() -> None:
    with pytest.raises(RuleError, match="still to come") as caught:
        compiled("was in segment buyers on 2026-11-23")
    assert (caught.value.column, caught.value.reason) == (26, "time")
    assert cond("was in segment buyers on 2026-11-22") == buyers(local("2026-11-22"))
    library = LIBRARY.publish(bind("segment s: was in segment buyers on 2026-11-01"))
    assert cond("in segment s", library)["of"] == buyers(local("2026-11-01"))
    assert cond("was in segment s 30d ago", library)["of"] == NOBODY


def test_m3_m4_entered_and_left_compare_both_ends_of_the_window() -> None:
    start, end = local("2026-10-01"), local("2026-11-01")
    (entered,) = cond("entered segment buyers in last month")["of"]
    assert entered == crossed(buyers(end), buyers(start))
    (left,) = cond("left segment buyers in last month")["of"]
    assert left == crossed(buyers(start), buyers(end))
    (entered,) = cond("entered segment buyers in last 7d")["of"]
    assert entered == crossed(buyers(), buyers(NOW - 7 * DAY))
    # The end is cut at as-of.
    (entered,) = cond("entered segment buyers in this month")["of"]
    assert entered == crossed(buyers(), buyers(local("2026-11-01")))
    (entered,) = cond("entered segment buyers in 2027-01")["of"]
    assert entered == crossed(buyers(), buyers())
    assert cond("not left segment buyers today")["of"]["op"] == "all"


def test_m5_ever_starts_before_all_time() -> None:
    assert cond("entered segment buyers ever") == {"op": "all", "of": [crossed(buyers(), NOBODY)]}
    assert cond("left segment buyers ever") == {"op": "all", "of": [crossed(NOBODY, buyers())]}
    (entered,) = cond("entered segment buyers before 2026-10-01")["of"]
    assert entered == crossed(buyers(local("2026-10-01")), NOBODY)


def test_m5_each_of_several_units_is_evaluated_alone() -> None:
    days = [local(f"2026-11-{day}") for day in (20, 21, 22)]
    crossings = [crossed(buyers(days[1]), buyers(days[0])), crossed(buyers(days[2]), buyers(days[1]))]
    counted = cond("entered segment buyers in at most 1 of last 2 calendar days")
    assert [counted["left"][side]["tiers"][0]["when"] for side in ("left", "right")] == crossings
    assert (counted["cmp"], counted["right"]) == ("<=", num("1"))
    assert cond("entered segment buyers in each of last 2 calendar days")["of"] == [{"op": "all", "of": crossings}]


def test_instants_beyond_the_calendar_are_rejected() -> None:
    chain = "segment s0: did order in last 365250d " + " ".join(
        f"segment s{n}: was in segment s{n - 1} 365250d ago" for n in range(1, 4)
    )
    library = LIBRARY.publish(bind(chain))
    compile_condition(bind("in segment s1", library), library, CATALOG, CLOCK)
    for n in (2, 3):
        with pytest.raises(RuleError) as caught:
            compile_condition(bind(f"in segment s{n}", library), library, CATALOG, CLOCK)
        assert caught.value.reason == "time"


def test_e2_a_segment_is_not_defined_by_its_own_past() -> None:
    for rule in (
        "segment s: was in segment s 1d ago",
        "segment s: entered segment t ever segment t: left segment s ever",
    ):
        with pytest.raises(RuleError) as caught:
            bind(rule)
        assert caught.value.reason == "cycle"
    assert bind("segment vip@4: was in segment vip@3 1d ago").versions == ("buyers@1", "net_spend@3", "vip@3", "vip@4")
