"""Rules to the plan message: shape as docs/plan.md says, meaning as the law says."""

import json
from typing import Any

import pytest

from quanyu.dsl import Library, PartCompiler, RuleError, build_plan, compile_condition, compile_segment, compile_tag
from quanyu.dsl.planning.serializer import to_json
from quanyu.dsl.syntax import Segment
from tests.unit.dsl.binding import test_conditions, test_expressions, test_names
from tests.unit.dsl.planning.compiled import DAY, attribute, compiled, cond, happened, steps, text
from tests.unit.dsl.planning.plan_shape import check_plan
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

BOUND = [row for module in (test_names, test_expressions, test_conditions) for row in module.BOUND]
ALL_KINDS = [row[1] for row in BOUND if row[2]] + [
    "did order at most 2 times in last 3 calendar weeks and did not scan today",
    "anniversary of born in next month or anniversary of birthday not tomorrow",
    "home within 3km of (31.2, 121.4) or home within 5m of home",
    "net_spend in bottom 10 of vip and decile(net_spend among buyers) >= 9",
    "did order where (points > 3 and last_touch > 3d and frequency = heavy and net_spend > 5) at least 2 times",
    "did order where (product.price > 5 and store.city in ['x'] and due in this month and note contains 'x')",
    "did touch where (store.location within 3km of person.home and channel = pos)",
    "days(touch where (channel in [pos]) in last 400d) > 3 and most(order.product.category) = coffee",
    "frequency != 'light' including unknown and in segment vip and not in segment buyers",
    "signup_at between 2026-01-01 and 2026-02-01 12:00 and renewal not between 2026-01-01 and 2026-01-31",
    "last_seen between 3d and 9d ago or (last_order default 90d) between 1d and 2d or last_scan in this month",
    "city matches '^x' and city starts with 'y' and tastes has all ['spicy'] and tastes not in [vegan]",
]


@pytest.mark.parametrize("rule", ALL_KINDS)
def test_every_plan_has_the_shape_of_the_contract(rule: str) -> None:
    message = build_plan(NOW, compiled(rule))
    check_plan(json.loads(message))


@pytest.mark.parametrize("rule", ALL_KINDS)
def test_root_counts_the_clauses_that_are_named(rule: str) -> None:
    """The engine counts each part of a root's all / any, so there are as many as clause texts."""
    rule_compiled = compiled(rule)
    root = to_json(rule_compiled.roots[0].cond)
    assert len(rule_compiled.clauses) == (len(root["of"]) if root["op"] in ("all", "any") else 1)


# --- the founding rule, and logic ---------------------------------------------------------------


def test_the_founding_rule() -> None:
    recency = {
        "op": "aggregate",
        "fn": "latest",
        "events": {"steps": steps("order", "scan"), "from": None, "to": NOW},
        "value": None,
        "day_starts": None,
    }
    assert cond("last_touch > 30d and channel in [pos, miniapp]") == {
        "op": "all",
        "of": [
            {
                "op": "compare",
                "cmp": ">",
                "left": {"op": "elapsed", "of": recency},
                "right": {"op": "literal", "value": {"duration": 30 * DAY}},
            },
            {"op": "in", "expr": {"op": "channels"}, "items": [text("pos"), text("miniapp")]},
        ],
    }


def test_u7_leaf_not_is_inside_including_unknown() -> None:
    inner = {"op": "in", "expr": attribute("city"), "items": [text("x")]}
    assert cond("city not in ['x'] including unknown") == {"op": "or_unknown", "of": {"op": "not", "of": inner}}


def test_u8_did_not_is_the_complement() -> None:
    assert cond("did not order") == {"op": "not", "of": happened("order")}


def test_c7_texts_are_normalised_and_patterns_are_not() -> None:
    assert cond("city contains 'ａ'")["value"] == "a"
    assert cond("city matches 'ａ'")["value"] == "ａ"
    assert cond("city = 'ａ'")["right"] == text("a")


def test_e6_times() -> None:
    assert cond("did order at least 3 times") == happened("order", at_least=3)
    assert cond("did order at most 3 times") == happened("order", at_least=0, at_most=3)
    assert cond("did order exactly 0 times") == happened("order", at_least=0, at_most=0)
    assert cond("did not order at least 3 times") == {"op": "not", "of": happened("order", at_least=3)}


def test_e4_the_first_time_is_in_the_window_and_none_before() -> None:
    start = NOW - 7 * DAY
    assert cond("did order for the first time in last 7d") == {
        "op": "all",
        "of": [{"op": "all", "of": [happened("order", since=start), {"op": "not", "of": happened("order", to=start)}]}],
    }
    assert cond("did order for the first time") == happened("order")


def test_e1_a_definition_is_a_union_by_type() -> None:
    library = LIBRARY.publish(bind("define d = (order where (quantity > 5)) or scan or (order where (paid = true))"))
    (order, scan) = cond("did d", library)["events"]["steps"]
    assert scan == {"type": "scan", "where": None}
    assert [part["left"]["name"] for part in order["where"]["of"]] == ["quantity", "paid"]
    assert order["where"]["op"] == "any"
    library = library.publish(bind("define e = d or order", library))
    assert cond("did e", library)["events"]["steps"] == steps("order", "scan")


def test_e1_a_filter_on_a_definition_holds_beside_its_own() -> None:
    (step,) = cond("did coffee where (quantity > 5)")["events"]["steps"]
    assert step["where"]["op"] == "all"
    assert step["where"]["of"][0]["left"] == {
        "op": "lookup",
        "catalog": "product",
        "key": {"op": "property", "name": "product_id"},
        "attribute": "category",
    }


def test_n8_each_event_type_has_its_own_reference() -> None:
    order, scan = cond("did touch where (store.city = 'x')")["events"]["steps"]
    assert order["where"]["left"]["key"] == {"op": "property", "name": "store_id"}
    assert scan["where"]["left"]["key"] == {"op": "property", "name": "shop"}
    value = cond("distinct(touch.store) > 1")["left"]["value"]
    kept = [(of["type"], of["value"]["name"]) for of in value["of"]]
    assert (value["op"], kept) == ("by_type", [("order", "store_id"), ("scan", "shop")])


def test_n6_n13_channel_and_last_seen_are_of_events_that_count_as_seen() -> None:
    assert cond("channel has any [pos]")["expr"] == {"op": "channels"}
    seen = cond("last_seen > 3d")["left"]["of"]["events"]["steps"]
    assert seen == steps("order", "refund", "sale_us", "scan")


def test_e9_values_of_the_person_inside_where() -> None:
    where = cond("did order where (points > quantity)")["events"]["steps"][0]["where"]
    assert where["left"] == {"op": "person", "expr": attribute("points")}
    assert where["right"] == {"op": "property", "name": "quantity"}


# --- tags ---------------------------------------------------------------------------------------


def test_g7_tiers_are_disjoint_and_else_takes_the_rest() -> None:
    tag = compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    assert tag.values == ("heavy", "medium", "light")
    assert [root.name for root in tag.roots] == [f"frequency@1: {value}" for value in tag.values]
    heavy, medium, light = (to_json(root.cond) for root in tag.roots)

    def passed(tier: Any) -> Any:
        return {"op": "or_unknown", "of": {"op": "not", "of": tier}}

    (inner,) = medium["of"]
    assert inner["of"][1:] == [passed(heavy)]
    (rest,) = light["of"]
    assert rest["of"] == [{"op": "constant", "value": True}, passed(heavy), passed(inner["of"][0])]
    assert len(tag.clauses) == len(tag.roots)
    check_plan(json.loads(build_plan(NOW, tag)))


def test_several_rules_make_one_plan() -> None:
    vip, tag = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK), compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    message = json.loads(build_plan(NOW, vip, tag))
    assert message == {"as_of": NOW, "roots": [to_json(root) for root in vip.roots + tag.roots]}


# --- limits -------------------------------------------------------------------------------------


def test_what_grows_beyond_measure_is_refused() -> None:
    doubling = "metric m0 = points " + " ".join(f"metric m{n} = m{n - 1} + m{n - 1}" for n in range(1, 40))
    library = Library().publish(bind(doubling, Library()))
    with pytest.raises(RuleError) as caught:
        compile_condition(bind("m39 > 1", library), library, CATALOG, CLOCK)
    assert caught.value.reason == "limit"


def test_what_is_nested_too_deeply_is_refused() -> None:
    chain = ["metric m0 = points", *(f"metric m{n} = m{n - 1} + 1" for n in range(1, 500))]
    library = Library().publish(bind(" ".join(chain), Library()))
    with pytest.raises(RuleError, match="nested too deeply"):
        compile_condition(bind("m499 > 1", library), library, CATALOG, CLOCK)
    with pytest.raises(RuleError, match="nested too deeply"):
        bind(" ".join(reversed(chain)), Library())


def test_no_such_rule() -> None:
    for compile_one in (compile_segment, compile_tag):
        with pytest.raises(RuleError, match="there is no"):
            compile_one("nobody", 1, LIBRARY, CATALOG, CLOCK)
    with pytest.raises(RuleError, match="lone condition"):
        compile_condition(bind("segment s: points = 1"), LIBRARY, CATALOG, CLOCK)


def test_a_segment_root_has_its_among() -> None:
    library = LIBRARY.publish(bind("segment b: did order segment rich among b: points > 5"))
    segment = library.get("rich", 1)
    assert isinstance(segment, Segment)
    parts = PartCompiler(segment, library, CATALOG, CLOCK)
    root, population = parts.compile_root(segment.cond), parts.compile_population()
    assert root.among == population.among is not None
    assert to_json(population.cond) == {"op": "constant", "value": True}
