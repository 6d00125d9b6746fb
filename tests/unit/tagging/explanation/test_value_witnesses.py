"""The values of one person that a condition compares."""

from google.protobuf.json_format import MessageToDict

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import PartCompiler, check_and_bind
from quanyu.dsl import syntax as s
from quanyu.tagging.explanation.person_queries import PersonQueries
from quanyu.tagging.explanation.value_witnesses import value_witnesses
from tests.unit.tagging.explanation.shop import ANN, BOB, NOW, Shop, at


def witnesses(shop: Shop, person: int, *texts: str) -> list[pb.Witness]:
    """Returns the witnesses of values; each text compares one with a literal."""
    evaluation = shop.evaluation
    conditions = [check_and_bind(text, evaluation.catalog, evaluation.library).condition for text in texts]
    exprs = [c.left if isinstance(c, s.Compare) else c.expr for c in conditions if isinstance(c, (s.Compare, s.HasAny))]
    parts = PartCompiler(None, evaluation.library, evaluation.catalog, evaluation.clock)
    return value_witnesses(PersonQueries(shop.index, evaluation, shop.oneid[person]), parts, NOW, exprs)


def test_an_attribute_has_its_name_and_value(shop: Shop) -> None:
    (city, tastes) = witnesses(shop, ANN, "city = 'x'", "tastes has any ['vegan']")
    assert (city.attribute.name, city.attribute.value.text) == ("city", "上海")
    assert list(tastes.attribute.value.set.items) == ["spicy", "vegan"]


def test_a_recency_has_the_instant_of_the_event(shop: Shop) -> None:
    (recency,) = witnesses(shop, ANN, "last_touch > 3d")
    assert recency.recency.name == "last_touch@1"
    assert recency.recency.instant.ToMilliseconds() == at("2026-11-20 10:00")


def test_other_values_have_the_text_of_their_expression(shop: Shop) -> None:
    (total, share) = witnesses(shop, ANN, "sum(order.amount) > 3", "count(order) / 7 > 3")
    assert (total.measure.text, total.measure.value.decimal, total.measure.cut) == ("sum(order.amount)", "175.5", False)
    assert (share.measure.value.decimal, share.measure.cut) == ("0.428571", True)


def test_an_unknown_value_has_only_its_name(shop: Shop) -> None:
    found = witnesses(shop, BOB, "age > 3", "last_scan > 3d", "avg(order.amount where (amount > 999)) > 3")
    assert [MessageToDict(witness) for witness in found] == [
        {"attribute": {"name": "age"}},
        {"recency": {"name": "last_scan"}},
        {"measure": {"text": "avg(order.amount where (amount > 999))"}},
    ]


def test_witnesses_are_in_the_order_of_the_expressions(shop: Shop) -> None:
    assert witnesses(shop, ANN) == []
    texts = ["city = 'x'", "count(order) > 3", "last_order > 3d"]
    assert witnesses(shop, ANN, *reversed(texts)) == list(reversed(witnesses(shop, ANN, *texts)))
