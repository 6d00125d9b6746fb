"""Counts, first times and sequences of events (E, Q)."""

from typing import Any

import pytest

from quanyu.dsl import RuleError
from tests.unit.dsl.planning.compiled import DAY, HOUR, attribute, cond, happened, step, steps, text
from tests.unit.dsl.world import NOW, bind


def test_e6_times_are_bounds_of_the_number_of_events() -> None:
    assert cond("did order at least 3 times") == happened("order", at_least=3)
    assert cond("did order at most 3 times") == happened("order", at_least=0, at_most=3)
    assert cond("did order exactly 0 times") == happened("order", at_least=0, at_most=0)
    assert cond("did not order at least 3 times") == {"op": "not", "of": happened("order", at_least=3)}


def test_e4_the_first_event_lies_in_the_window_and_none_before_it() -> None:
    start = NOW - 7 * DAY
    assert cond("did order for the first time in last 7d") == {
        "op": "all",
        "of": [{"op": "all", "of": [happened("order", since=start), {"op": "not", "of": happened("order", to=start)}]}],
    }
    assert cond("did order for the first time") == happened("order")


def test_q_a_sequence_has_gaps_and_forbidden_events() -> None:
    rule = "did (scan without refund then touch after 1h within 2h then order without scan without sale_us) in last 90d"
    whole = cond(rule)
    forbidden = [steps("refund"), [], steps("scan", "sale_us")]
    assert whole == {
        "op": "sequence",
        "steps": [
            step("scan", without=forbidden[0]),
            step("order", "scan", after=HOUR, within=2 * HOUR),
            step("order", without=forbidden[2]),
        ],
        "by": None,
        "from": NOW - 90 * DAY,
        "to": NOW,
    }
    assert cond(rule.replace("did", "did not")) == {"op": "not", "of": whole}


def test_q_several_filters_of_one_forbidden_type_are_joined_by_or() -> None:
    whole = cond("did (scan then scan without order where (quantity > 5) without order where (paid = true))")
    (order,) = whole["steps"][1]["without"]
    assert [part["left"]["name"] for part in order["where"]["of"]] == ["quantity", "paid"]
    assert order["where"]["op"] == "any"
    assert cond("did (scan without order without order where (paid = true))")["steps"][0]["without"] == steps("order")


def test_q_steps_have_filters_of_their_own() -> None:
    first, second = cond("did (coffee then order where (note = 'x' and points > 3))")["steps"]
    assert first["events"][0]["where"]["left"]["op"] == "lookup"
    note, points = second["events"][0]["where"]["of"]
    assert note["right"] == text("x")
    assert points["left"] == {"op": "person", "expr": attribute("points")}


def test_q7_by_is_read_from_each_event() -> None:
    def prop(name: str) -> dict[str, Any]:
        return {"op": "property", "name": name}

    assert cond("did (order then order) by note")["by"] == prop("note")
    assert cond("did (order then scan) by channel")["by"] == {"op": "event_channel"}
    assert cond("did (scan then order without scan) by store")["by"] == {
        "op": "by_type",
        "of": [{"type": "scan", "value": prop("shop")}, {"type": "order", "value": prop("store_id")}],
    }
    city = cond("did (order then order) by store.city")["by"]
    assert city == {"op": "lookup", "catalog": "store", "key": prop("store_id"), "attribute": "city"}


def test_a_sequence_has_at_most_32_steps() -> None:
    steps_of = " then ".join(["order"] * 32)
    assert len(cond(f"did ({steps_of})")["steps"]) == 32
    with pytest.raises(RuleError) as caught:
        bind(f"did ({steps_of} then order)")
    assert caught.value.reason == "limit"
