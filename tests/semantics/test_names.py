"""Tests of the N and X points: what a name means, and the rest."""

import pytest

from quanyu import dsl
from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import RuleError, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.parsing.parser import parse
from tests.semantics.world import ago, did, has


def offers_of(w, rule):
    with pytest.raises(RuleError) as refused:
        w.compiled(rule)
    return refused.value.suggestions


def test_n1_a_bare_word_is_a_declared_value_or_a_declared_name(world):
    w = world(a=[has(tier="points", level="gold", motto="carpe")])
    assert w.holds("level = gold") == {"a"}
    assert offers_of(w, "tier = points") == ("'points'", "`points`")
    assert offers_of(w, "level = golt") == ("'gold'", "'golt'")
    with pytest.raises(RuleError, match="quotes"):
        w.publish("tag t: heavy when points > 1")
    # The catalog learns the values that it sees.
    assert w.holds("motto = carpe") == {"a"}
    assert offers_of(w, "motto = diem") == ("'diem'",)


def test_n2_last_and_first_before_an_event_or_definition_are_recencies(world):
    w = world(rules="define touch = order define touch@2 = scan", a=[did("order", ago("9d")), did("scan", ago("1d"))])
    assert w.holds("last_touch < 2d and last_touch@1 > 2d and first_order > 2d") == {"a"}
    schema = event_pb2.Schema(event_types=[event_pb2.EventType(name="signup")])
    schema.attributes.add(name="last_signup", type=event_pb2.TYPE_NUMBER)
    with pytest.raises(Exception, match="last_signup"):
        w.declare(schema)


def test_n3_an_ambiguous_name_inside_where_is_an_error_that_offers_both(world):
    w = world(
        a=[has(city="上海", points=3), did("order", ago("1d"), city="北京", quantity=5)],
        b=[has(city="北京", points=9), did("order", ago("1d"), city="上海", quantity=5)],
    )
    assert offers_of(w, "did order where (city = '上海')") == ("order.city", "person.city")
    assert w.holds("did order where (order.city = '上海')") == {"b"}
    assert w.holds("did order where (person.city = '上海')") == {"a"}
    assert w.holds("did order where (quantity > points)") == {"a"}


def test_n4_a_property_outside_where_is_an_error(world):
    w = world(a=[did("order", ago("1d"), amount=5)])
    with pytest.raises(RuleError, match="N4") as refused:
        w.compiled("order.amount > 3")
    assert refused.value.suggestions[0].startswith("did order where (amount")


def test_n5_a_property_of_another_event_inside_where_is_an_error(world):
    w = world(
        one=[did("order", ago("1d"), amount=5, quantity=2)],
        two=[did("order", ago("1d"), amount=5), did("order", ago("1d"), quantity=2)],
    )
    assert w.holds("did order where (order.amount = 5 and quantity = 2)") == {"one"}
    with pytest.raises(RuleError, match="N5"):
        w.compiled("did order where (scan.code = 'x')")


def test_n6_channel_is_the_set_of_channels_seen_before_as_of(world):
    w = world(
        a=[did("order", ago("9d"), channel="pos"), did("order", ago("1d"), channel="web"), did("order", ago("1d"))],
        b=[did("order", ago("1d"))],
    )
    assert w.holds("channel has all ['pos', 'web']") == {"a"}
    assert w.holds("channel in [pos] and channel not in [web]", as_of=ago("2d")) == {"a"}
    assert w.says("channel has none ['pos']") == {"a": False, "b": True}
    assert w.says("channel is known") == {"a": True, "b": True}
    assert w.holds("did order where (channel = pos) in last 5d") == set()
    assert w.holds("did order where (channel = pos)") == {"a"}


def test_n7_a_key_that_its_catalog_lacks_is_known_and_its_attributes_are_unknown(world):
    w = world(items={("store", "s1"): {"city": "上海"}}, a=[did("order", ago("1d"), store_id="s9")])
    assert w.holds("did order where (store is known)") == {"a"}
    assert w.holds("did order where (store.city is unknown)") == {"a"}


def test_n8_a_reference_is_the_key_and_leads_to_the_attributes_of_its_item(world):
    items = {("store", "s1"): {"city": "上海"}}
    w = world(items=items, a=[did("order", ago("1d"), store_id="s1")], b=[did("order", ago("1d"), store_id="s2")])
    assert w.holds("did order where (store = 's1')") == w.holds("did order where (store_id = 's1')") == {"a"}
    assert w.holds("did order where (store.city = '上海')") == {"a"}
    assert w.holds("most(order.store.city) = '上海'") == {"a"}


def test_n9_attributes_of_goods_are_the_latest_by_known_at_whatever_the_as_of(world):
    w = world(items={("product", "p"): {"category": "tea"}}, a=[did("order", ago("90d"), product_id="p")])
    before = w.put_item("product", "p", category="coffee")
    rule = "did order where (product.category = 'coffee')"
    assert w.holds(rule, as_of=ago("60d")) == {"a"}
    assert w.holds(rule, as_of=ago("60d"), known_at=before) == set()


def test_n10_a_key_of_a_map_is_unknown_where_it_is_missing(world):
    w = world(
        a=[has(survey={"price_sensitivity": 4})],
        b=[has(survey={"spice": 1})],
        c=[did("answer", ago("9d"), price_sensitivity=5), did("answer", ago("1d"), price_sensitivity=2)],
    )
    assert w.says("survey.price_sensitivity >= 4") == {"a": True, "b": None, "c": None}
    assert w.says("latest(answer.price_sensitivity) = 2") == {"a": None, "b": None, "c": True}


def test_n11_a_score_without_a_version_binds_to_the_newest():
    scores = {f"risk@{n}": dsl.Field(f"risk@{n}", "number") for n in (3, 10, 9)}
    catalog = dsl.Catalog(attributes=scores)
    for rule, bound in (("risk > 0.5", "risk@10 > 0.5"), ("risk@9 > 0.5", "risk@9 > 0.5")):
        assert format_rule(dsl.check_and_bind(rule, catalog, dsl.Library()).condition) == bound
    with pytest.raises(RuleError):
        dsl.check_and_bind("risk@4 > 0.5", catalog, dsl.Library())


@pytest.mark.parametrize("name", ["city", "order", "channel", "m", "城市", "last_seen", "person"])
def test_n12_a_rule_with_the_name_of_something_else_is_refused(world, name):
    w = world(rules="metric m = points")
    with pytest.raises(RuleError, match=r"N12"):
        w.publish(f"segment {name}: did order")


def test_n13_first_seen_and_last_seen_are_recencies_of_events_that_count_as_seen(world):
    w = world(a=[did("order", ago("9d")), did("scan", ago("1d")), did("imported", ago("20d"))])
    assert w.holds("first_seen between 9d and 10d and last_seen between 1d and 2d") == {"a"}


def test_n14_a_tag_is_a_value_that_is_unknown_where_no_tier_matched(world):
    w = world(
        rules="tag t: 'a' when points > 5; 'b' when points > 3", a=[has(points=9)], b=[has(points=4)], c=[has(points=1)]
    )
    assert w.says("t = 'a'") == {"a": True, "b": False, "c": None}
    assert w.says("t is known") == {"a": True, "b": True, "c": False}
    assert [w.value("t", name) for name in "abc"] == ["a", "b", None]


def test_x1_the_order_of_clauses_changes_nothing(world):
    w = world(a=[has(points=9, city="上海")], b=[has(points=9)], c=[has(city="北京")])
    assert w.says("points > 3 and city = '上海'") == w.says("city = '上海' and points > 3")
    for rule in ("points > 3 or nothing > 3", "nothing > 3 or points > 3"):
        with pytest.raises(RuleError, match="nothing"):
            w.compiled(rule)


def test_x2_a_tag_is_over_the_universe_and_its_values_have_one_type(world):
    w = world(
        rules="tag t: 'new' when did order in last 7d; else 'old'", a=[did("order", ago("1d"))], b=[has(points=1)]
    )
    assert [w.value("t", name) for name in "ab"] == ["new", "old"]
    w.add(c=[did("order", ago("-1d"))])
    assert w.value("t", "c") is None
    with pytest.raises(RuleError, match="one type"):
        w.publish("tag u: 'a' when points > 1; else 3")


def test_x3_a_condition_alone_is_over_the_universe(world):
    w = world(a=[did("order", ago("1d"))], b=[has(points=1)], c=[did("order", ago("-1d"))])
    assert w.holds("did not order") == {"b"}


def test_x4_when_as_of_a_day_is_the_start_of_the_day(world):
    text = (
        "test 'x' { given anna did order at 2026-02-03 00:00 given ben did order at 2026-02-02 when as of 2026-02-03 }"
    )
    (test,) = parse(text).statements
    assert isinstance(test, s.Test)
    clock = dsl.Clock(0, "Asia/Shanghai")
    people = {given.person: [did("order", windows.when_ms(given.at, clock))] for given in test.given}
    assert world(**people).holds("did order", as_of=windows.when_ms(test.as_of, clock)) == {"ben"}


@pytest.mark.parametrize(
    "setting",
    ["timezone 'Asia/Shanghai'", "day starts 04:00", "week starts 'monday'", "leap day 'feb28'", "leap day 'mar1'"],
)
def test_x5_settings_parse_and_are_refused_in_a_rule(world, setting):
    (statement,) = parse(f"use {setting}").statements
    assert isinstance(statement, s.Setting)
    with pytest.raises(RuleError, match="X5"):
        world().publish(f"use {setting}")
