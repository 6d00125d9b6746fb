"""Values, ranks and samples in the plan message."""

from typing import Any

from quanyu.dsl import compile_segment
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import attribute, cond, happened, num, text
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


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


def test_c2_an_ordered_enum_is_one_of_its_values() -> None:
    assert cond("level >= silver") == {"op": "in", "expr": attribute("level"), "items": [text("silver"), text("gold")]}
    assert cond("level < silver")["items"] == [text("bronze")]
    none = cond("level < bronze")["of"][0]
    assert [part["op"] for part in none["of"]] == ["in", "not"]
    both = cond("level > level")
    places = [(tier["when"]["items"][0]["value"]["text"], tier["value"]["num"]) for tier in both["left"]["tiers"]]
    assert places == [("bronze", "0"), ("silver", "1"), ("gold", "2")]
    assert (both["op"], both["left"], both["left"]["otherwise"]) == ("compare", both["right"], None)


def test_n10_n11_keys_and_scores() -> None:
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


# --- ranks and samples --------------------------------------------------------------------------


def rank_population(rule: str) -> Any:
    library = LIBRARY.publish(bind(rule))
    (root,) = compile_segment("s", 1, library, CATALOG, CLOCK).roots
    ranked = to_json(root.cond)
    return ranked["population"] if ranked["op"] == "rank" else ranked["left"]["population"]


BUYERS = {"op": "set", "of": happened("order"), "among": None}


def test_r6_the_population_is_the_own_among_else_the_universe() -> None:
    assert rank_population("segment s: points in top 10%") is None
    assert rank_population("segment s among buyers: points in top 10%") == BUYERS
    assert rank_population("segment s: points in top 10% of buyers") == BUYERS
    assert rank_population("segment s among buyers: quintile(points) = 5") == BUYERS


def test_r5_a_metric_ranks_the_universe_whoever_asks() -> None:
    rule = "segment s among buyers: m > 3 metric m = quintile(points)"
    assert rank_population(rule) is None


def test_r2_r7_sizes() -> None:
    assert (cond("points in top 0.5%")["percent"], cond("points in top 0.5%")["count"]) == ("0.005", None)
    assert (cond("points in bottom 7")["percent"], cond("points in bottom 7")["count"]) == (None, 7)
    assert cond("points in bottom 7")["side"] == "bottom"


def test_s1_s2_samples() -> None:
    assert cond("sample 10% seed 'spring'") == {"op": "sample", "seed": "spring", "below": "1844674407370955162"}
    assert cond("sample 100% seed 'x'")["below"] == str(2**64)
    assert cond("sample 0% seed 'x'")["below"] == "0"
    library = LIBRARY.publish(bind("segment half@2: sample 50% segment s: in segment half and sample 50%"))
    parts = to_json(compile_segment("s", 1, library, CATALOG, CLOCK).roots[0].cond)["of"]
    assert [parts[0]["of"]["seed"], parts[1]["seed"]] == ["half", "s"]


def test_segments_are_sets_in_their_own_among() -> None:
    vip = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK)
    assert vip.roots[0].name == "vip@3"
    assert to_json(vip.roots[0])["among"] == BUYERS
    assert cond("in segment vip") == {"op": "set", "of": to_json(vip.roots[0].cond), "among": BUYERS}
    assert vip.versions == ["buyers@1", "net_spend@3", "vip@3"]
