"""Values, members of segments and events of a rule."""

from typing import Any

from quanyu.dsl import compile_segment
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import attribute, cond, happened, local, num, steps
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind


def test_numbers_are_decimal_text() -> None:
    assert cond("points between -0.50 and 150%") == {
        "op": "all",
        "of": [
            {
                "op": "all",
                "of": [
                    {"op": "compare", "cmp": ">=", "left": attribute("points"), "right": num("-0.5")},
                    {"op": "compare", "cmp": "<=", "left": attribute("points"), "right": num("1.5")},
                ],
            }
        ],
    }


def test_n10_n11_attributes_have_keys_and_scores_have_versions() -> None:
    assert cond("survey['a b'] >= 4")["left"] == attribute("survey", "a b")
    assert cond("churn_risk > 0.5")["left"] == attribute("churn_risk@4")


def test_a1_a_value_is_read_in_the_scope_of_the_event() -> None:
    assert cond("sum(order.product.price) > 5")["left"]["value"] == {
        "op": "lookup",
        "catalog": "product",
        "key": {"op": "property", "name": "product_id"},
        "attribute": "price",
    }
    assert cond("latest(touch.channel) = pos")["left"]["value"] == {"op": "event_channel"}
    assert cond("distinct(order.store) > 1")["left"]["value"] == {"op": "property", "name": "store_id"}


def test_n14_a_tag_is_the_first_tier_that_is_true() -> None:
    case = cond("frequency = 'heavy'")["left"]
    assert (case["op"], [tier["value"] for tier in case["tiers"]]) == ("case", [{"text": "heavy"}, {"text": "medium"}])
    assert case["otherwise"] == {"text": "light"}


def test_e1_a_definition_is_a_union_by_type() -> None:
    library = LIBRARY.publish(bind("define d = (order where (quantity > 5)) or scan or (order where (paid = true))"))
    (order, scan) = cond("did d", library)["events"]["steps"]
    assert scan == {"type": "scan", "where": None}
    assert [part["left"]["name"] for part in order["where"]["of"]] == ["quantity", "paid"]
    assert order["where"]["op"] == "any"
    library = library.publish(bind("define e = d or order", library))
    assert cond("did e", library)["events"]["steps"] == steps("order", "scan")


def test_e1_a_filter_on_a_definition_is_added_to_its_own_filters() -> None:
    (step,) = cond("did coffee where (quantity > 5)")["events"]["steps"]
    assert step["where"]["op"] == "all"
    assert step["where"]["of"][0]["left"] == {
        "op": "lookup",
        "catalog": "product",
        "key": {"op": "property", "name": "product_id"},
        "attribute": "category",
    }


def test_n8_each_event_type_reads_its_own_reference() -> None:
    order, scan = cond("did touch where (store.city = 'x')")["events"]["steps"]
    assert order["where"]["left"]["key"] == {"op": "property", "name": "store_id"}
    assert scan["where"]["left"]["key"] == {"op": "property", "name": "shop"}
    value = cond("distinct(touch.store) > 1")["left"]["value"]
    kept = [(of["type"], of["value"]["name"]) for of in value["of"]]
    assert (value["op"], kept) == ("by_type", [("order", "store_id"), ("scan", "shop")])


def test_n6_n13_channel_and_last_seen_read_events_that_count_as_seen() -> None:
    assert cond("channel has any [pos]")["expr"] == {"op": "channels"}
    seen = cond("last_seen > 3d")["left"]["of"]["events"]["steps"]
    assert seen == steps("order", "refund", "sale_us", "scan")


def test_e9_a_where_reads_values_of_the_person() -> None:
    where = cond("did order where (points > quantity)")["events"]["steps"][0]["where"]
    assert where["left"] == {"op": "person", "expr": attribute("points")}
    assert where["right"] == {"op": "property", "name": "quantity"}


def test_t1_events_are_cut_at_as_of() -> None:
    assert cond("did order in this month") == happened("order", since=local("2026-11-01"))
    assert cond("did order in 2027-01") == happened("order", since=NOW, to=NOW)


def test_a8_days_have_the_starts_of_local_days() -> None:
    aggregate = cond("days(order in last 2d) >= 2")["left"]
    assert aggregate["day_starts"] == [local(f"2026-11-{day}") for day in (20, 21, 22, 23)]
    assert len(cond("days(order) >= 2")["left"]["day_starts"]) == 402


def rank_population(rule: str) -> Any:
    library = LIBRARY.publish(bind(rule))
    (root,) = compile_segment("s", 1, library, CATALOG, CLOCK).roots
    ranked = to_json(root.cond)
    return ranked["population"] if ranked["op"] == "rank" else ranked["left"]["population"]


BUYERS = {"op": "set", "of": happened("order"), "among": None}


def test_r6_a_rank_uses_its_own_population_else_that_of_the_rule() -> None:
    assert rank_population("segment s: points in top 10%") is None
    assert rank_population("segment s among buyers: points in top 10%") == BUYERS
    assert rank_population("segment s: points in top 10% of buyers") == BUYERS
    assert rank_population("segment s among buyers: quintile(points) = 5") == BUYERS


def test_r5_a_rank_in_a_metric_uses_the_universe() -> None:
    rule = "segment s among buyers: m > 3 metric m = quintile(points)"
    assert rank_population(rule) is None


def test_segments_are_sets_in_their_own_population() -> None:
    vip = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK)
    assert vip.roots[0].name == "vip@3"
    assert to_json(vip.roots[0])["among"] == BUYERS
    assert cond("in segment vip") == {"op": "set", "of": to_json(vip.roots[0].cond), "among": BUYERS}
    assert vip.versions == ["buyers@1", "net_spend@3", "vip@3"]
