"""Rules to the plan message: shape as docs/plan.md says, meaning as the law says."""

import datetime as dt
import json
from typing import Any

import pytest

from quanyu.dsl import (
    Clock,
    CompiledRule,
    Library,
    RuleError,
    compile_condition,
    compile_segment,
    compile_tag,
    plan,
)
from tests.unit.dsl.plan_shape import check_plan
from tests.unit.dsl.test_dsl_checker import BOUND
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

DAY = 86_400_000


def compiled(rule: str, library: Library = LIBRARY, clock: Clock = CLOCK) -> CompiledRule:
    return compile_condition(bind(rule, library), library, CATALOG, clock)


def cond(rule: str, library: Library = LIBRARY, clock: Clock = CLOCK) -> Any:
    return compiled(rule, library, clock).roots[0]["cond"]


def local(text: str) -> int:
    """Of the world's zone, UTC+8 all year."""
    wall = dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))
    return int(wall.timestamp() * 1000)


def days_since_1970(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def num(text: str) -> dict[str, Any]:
    return {"op": "literal", "value": {"num": text}}


def text(value: str) -> dict[str, Any]:
    return {"op": "literal", "value": {"text": value}}


def attribute(name: str, key: str | None = None) -> dict[str, Any]:
    return {"op": "attribute", "name": name, "key": key}


def steps(*types: str) -> list[dict[str, Any]]:
    return [{"type": event_type, "where": None} for event_type in types]


def happened(
    *types: str, since: int | None = None, to: int = NOW, at_least: int = 1, at_most: int | None = None
) -> Any:
    return {
        "op": "happened",
        "events": {"steps": steps(*types), "from": since, "to": to},
        "min": at_least,
        "max": at_most,
    }


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
    message = plan(NOW, compiled(rule))
    check_plan(json.loads(message))


@pytest.mark.parametrize("rule", ALL_KINDS)
def test_root_counts_the_clauses_that_are_named(rule: str) -> None:
    """The engine counts each part of a root's all / any, so there are as many as clause texts."""
    rule_compiled = compiled(rule)
    root = rule_compiled.roots[0]["cond"]
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


# --- time ---------------------------------------------------------------------------------------


def test_the_two_thirty_days() -> None:
    rolling, calendar = compiled("did order in last 30d"), compiled("did order in last 1 calendar month")
    assert [(w.text, w.from_ms, w.to_ms) for w in rolling.windows] == [("in last 30d", NOW - 30 * DAY, NOW)]
    assert [(w.text, w.from_ms, w.to_ms) for w in calendar.windows] == [
        ("in last 1 calendar month", local("2026-10-01"), local("2026-11-01"))
    ]


def test_t0_a_recency_echoes_its_border() -> None:
    (window,) = compiled("last_touch > 30d").windows
    assert (window.text, window.from_ms, window.to_ms) == ("last_touch@2 > 30d", None, NOW - 30 * DAY)


def within(expr: Any, start: int | None, end: int | None) -> dict[str, Any]:
    return {"op": "within", "expr": expr, "from": start, "to": end}


@pytest.mark.parametrize(
    ("sign", "start", "end"),
    [
        ("<", None, "2026-01-31"),
        ("<=", None, "2026-02-01"),
        (">", "2026-02-01", None),
        (">=", "2026-01-31", None),
        ("=", "2026-01-31", "2026-02-01"),
    ],
)
def test_c4_an_instant_beside_a_date_is_compared_by_its_day(sign: str, start: str | None, end: str | None) -> None:
    expected = within(attribute("signup_at"), start and local(start), end and local(end))  # type: ignore[arg-type]
    assert cond(f"signup_at {sign} 2026-01-31") == expected
    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[sign]
    assert cond(f"2026-01-31 {flipped} signup_at") == expected


def test_c4_unlike_a_day() -> None:
    inner = within(attribute("signup_at"), local("2026-01-31"), local("2026-02-01"))
    assert cond("signup_at != 2026-01-31") == {"op": "not", "of": inner}


def test_t9_between() -> None:
    start = local("2026-01-01")
    expected = within(attribute("signup_at"), start, local("2026-02-01"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31") == expected
    expected = within(attribute("signup_at"), start, local("2026-01-31T12:00"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31 12:00") == expected
    day = days_since_1970("2026-01-01")
    assert cond("renewal between 2026-01-01 and 2026-01-31") == within(attribute("renewal"), day, day + 31)


def test_t12_attributes_are_not_cut_and_dates_take_days() -> None:
    assert cond("signup_at in next 30d") == within(attribute("signup_at"), NOW, NOW + 30 * DAY)
    first = days_since_1970("2026-11-23")
    assert cond("renewal in next 7 calendar days") == within(attribute("renewal"), first, first + 7)
    assert cond("renewal not in next month")["of"]["from"] == days_since_1970("2026-12-01")


def test_c3_a_recency_in_a_window_is_its_event_there() -> None:
    parts = cond("last_order between 7d and 30d ago")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">", 7 * DAY), ("<=", 30 * DAY)]
    parts = cond("last_order between 2026-11-01 and 2026-11-21")["of"][0]["of"]
    borders = [(">", NOW - local("2026-11-22")), ("<=", NOW - local("2026-11-01"))]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == borders
    parts = cond("last_order between 7d and 30d")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">=", 7 * DAY), ("<=", 30 * DAY)]


def test_t1_events_are_cut_at_as_of() -> None:
    assert cond("did order in this month") == happened("order", since=local("2026-11-01"))
    assert cond("did order in 2027-01") == happened("order", since=NOW, to=NOW)


def test_t14_t17_anniversaries() -> None:
    clock = Clock(local("2027-02-20"), "Asia/Shanghai", leap_day="mar1")
    assert cond("anniversary of born in next 9 calendar days", clock=clock) == {
        "op": "anniversary",
        "expr": attribute("born"),
        "years": [{"year": 2027, "month_days": [221, 222, 223, 224, 225, 226, 227, 228, 301, 229]}],
    }


def test_a8_days_count_local_days() -> None:
    aggregate = cond("days(order in last 2d) >= 2")["left"]
    assert aggregate["day_starts"] == [local(f"2026-11-{day}") for day in (20, 21, 22, 23)]
    assert len(cond("days(order) >= 2")["left"]["day_starts"]) == 402


# --- values -------------------------------------------------------------------------------------


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
    return root["cond"]["population"] if root["cond"]["op"] == "rank" else root["cond"]["left"]["population"]


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
    parts = compile_segment("s", 1, library, CATALOG, CLOCK).roots[0]["cond"]["of"]
    assert [parts[0]["of"]["seed"], parts[1]["seed"]] == ["half", "s"]


def test_segments_are_sets_in_their_own_among() -> None:
    vip = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK)
    assert vip.roots[0]["name"] == "vip@3"
    assert vip.roots[0]["among"] == BUYERS
    assert cond("in segment vip") == {"op": "set", "of": vip.roots[0]["cond"], "among": BUYERS}
    assert vip.versions == ["buyers@1", "net_spend@3", "vip@3"]


# --- tags ---------------------------------------------------------------------------------------


def test_g7_tiers_are_disjoint_and_else_takes_the_rest() -> None:
    tag = compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    assert tag.values == ("heavy", "medium", "light")
    assert [root["name"] for root in tag.roots] == [f"frequency@1: {value}" for value in tag.values]
    heavy, medium, light = (root["cond"] for root in tag.roots)

    def passed(tier: Any) -> Any:
        return {"op": "or_unknown", "of": {"op": "not", "of": tier}}

    (inner,) = medium["of"]
    assert inner["of"][1:] == [passed(heavy)]
    (rest,) = light["of"]
    assert rest["of"] == [{"op": "constant", "value": True}, passed(heavy), passed(inner["of"][0])]
    assert len(tag.clauses) == len(tag.roots)
    check_plan(json.loads(plan(NOW, tag)))


def test_several_rules_make_one_plan() -> None:
    vip, tag = compile_segment("vip", 3, LIBRARY, CATALOG, CLOCK), compile_tag("frequency", 1, LIBRARY, CATALOG, CLOCK)
    message = json.loads(plan(NOW, vip, tag))
    assert message == {"as_of": NOW, "roots": vip.roots + tag.roots}


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
