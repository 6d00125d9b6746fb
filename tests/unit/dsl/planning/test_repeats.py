"""Conditions on several calendar units (E8)."""

import itertools
from typing import Any

import pytest

from quanyu.dsl import Clock, RuleError
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import DAY, HOUR, compiled, cond, happened, local, num, step, steps

WEEKS = [local(day) for day in ("2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16")]


def weeks_with(*types: str) -> dict[str, Any]:
    events = {"steps": steps(*types), "from": WEEKS[0], "to": WEEKS[-1]}
    return {"op": "aggregate", "fn": "days", "events": events, "value": None, "day_starts": WEEKS}


@pytest.mark.parametrize(
    ("repeat", "cmp", "number"),
    [
        ("at least 3 of", ">=", "3"),
        ("at most 3 of", "<=", "3"),
        ("exactly 0 of", "=", "0"),
        ("each of", "=", "4"),
        ("at least 5 of", ">=", "5"),
    ],
)
def test_e8_units_with_an_event_are_counted_in_one_pass(repeat: str, cmp: str, number: str) -> None:
    counted = {"op": "compare", "cmp": cmp, "left": weeks_with("order", "scan"), "right": num(number)}
    for times in ("", " at least 1 times"):
        rule = compiled(f"did touch{times} in {repeat} last 4 calendar weeks")
        assert to_json(rule.roots[0].cond) == counted
        (window,) = rule.windows
        assert (window.text, window.from_ms, window.to_ms) == (
            f"in {repeat} last 4 calendar weeks",
            WEEKS[0],
            WEEKS[-1],
        )


def one_if(when: Any) -> dict[str, Any]:
    return {"op": "case", "tiers": [{"when": when, "value": {"num": "1"}}], "otherwise": {"num": "0"}}


def plus(left: Any, right: Any) -> dict[str, Any]:
    return {"op": "arith", "fn": "+", "left": left, "right": right}


def test_e6_e8_other_numbers_of_times_are_evaluated_unit_by_unit() -> None:
    bounds = [(" at least 2 times", 2, None), (" at most 1 times", 0, 1), (" exactly 0 times", 0, 0)]
    for times, low, high in [*bounds, (" at least 0 times", 0, None)]:
        spans = itertools.pairwise(WEEKS)
        judged = [happened("order", since=start, to=end, at_least=low, at_most=high) for start, end in spans]
        a, b, c, d = map(one_if, judged)
        counted = {"op": "compare", "cmp": ">=", "left": plus(plus(a, b), plus(c, d)), "right": num("3")}
        assert cond(f"did order{times} in at least 3 of last 4 calendar weeks") == counted
        (each,) = cond(f"did order{times} in each of last 4 calendar weeks")["of"]
        assert each == {"op": "all", "of": judged}


def test_e7_did_not_negates_the_whole_repeat() -> None:
    whole = cond("did order in at least 3 of last 4 calendar weeks")
    assert cond("did not order in at least 3 of last 4 calendar weeks") == {"op": "not", "of": whole}


def test_e8_a_sequence_is_completely_in_one_unit() -> None:
    rule = "did (scan then order within 2h) in exactly 1 of last 2 calendar days"
    both = [step("scan"), step("order", within=2 * HOUR)]
    days = [
        {"op": "sequence", "steps": both, "by": None, "from": start, "to": end}
        for start, end in itertools.pairwise([local(f"2026-11-{day}") for day in (20, 21, 22)])
    ]
    assert cond(rule) == {"op": "compare", "cmp": "=", "left": plus(*map(one_if, days)), "right": num("1")}


def test_e8_a_day_that_the_zone_skipped_is_an_empty_unit() -> None:
    clock = Clock(int(DAY * 15_340), "Pacific/Apia")  # 2012-01-01; 30 December 2011 was left out
    days = cond("did order in each of last 4 calendar days", clock=clock)
    starts = days["left"]["day_starts"]
    assert (len(starts), days["right"]) == (4, num("4"))
    judged = cond("did order exactly 0 times in each of last 4 calendar days", clock=clock)["of"][0]["of"]
    lengths = [unit["events"]["to"] - unit["events"]["from"] for unit in judged]
    assert sorted(lengths) == [0, DAY, DAY, DAY]


def test_the_number_of_units_evaluated_one_by_one_is_limited() -> None:
    compiled("did order in each of last 400 calendar days")
    compiled("did order exactly 2 times in each of last 100 calendar days")
    for happening in ("order exactly 2 times", "(order then scan)"):
        with pytest.raises(RuleError, match="one by one") as caught:
            compiled(f"did {happening} in each of last 101 calendar days")
        assert caught.value.reason == "limit"
    with pytest.raises(RuleError) as caught:
        compiled("did order in each of last 2100 calendar years")
    assert caught.value.reason == "time"
    with pytest.raises(RuleError) as caught:
        compiled("did order in each of last 200000 calendar days")
    assert caught.value.reason == "limit"
