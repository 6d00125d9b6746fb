"""The values of expressions for some people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import NumberValue
from quanyu.engine import InvalidError
from quanyu.tagging.evaluation.values import read_values
from tests.unit.tagging.explanation.shop import ANN, BOB, EVE, NOW, WORLD, Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"), WORLD)
    yield made
    made.engine.close()


def count_of(event_type: str) -> nodes.Expr:
    events = nodes.Events((nodes.EventStep(event_type, None),), None, NOW)
    return nodes.Aggregate("count", events, None, None)


def quotient(left: nodes.Expr, right: str) -> nodes.Expr:
    return nodes.Arithmetic("/", left, nodes.Literal(NumberValue(right)))


def test_a_number_is_exact_or_rounded_down_and_marked(shop: Shop) -> None:
    exprs = [quotient(count_of("order"), divisor) for divisor in ("2", "7", "-7", "0")]
    found = read_values(shop.evaluation, shop.index, exprs, [shop.oneid[ANN]])
    told = [None if one is None else (one.value.decimal, one.is_truncated) for (one,) in found]
    assert told == [("1.5", False), ("0.428571", True), ("-0.428572", True), None]


def test_values_are_in_the_order_of_the_people(shop: Shop) -> None:
    city = nodes.Attribute("city", None)
    persons = [shop.oneid[person] for person in (BOB, EVE, ANN, BOB)]
    (found,) = read_values(shop.evaluation, shop.index, [city], [*persons, 77])
    assert [None if one is None else one.value.text for one in found] == ["北京", None, "上海", "北京", None]


def test_a_person_without_a_record_yet_has_no_values(shop: Shop) -> None:
    (found,) = read_values(shop.evaluation, shop.index, [count_of("scan")], [shop.oneid[ANN], shop.oneid[EVE]])
    assert [None if one is None else one.value.decimal for one in found] == ["1", None]


def test_the_error_names_the_expression_that_cannot_be_evaluated(shop: Shop) -> None:
    gone = nodes.Attribute("gone", None)
    with pytest.raises(InvalidError, match=r"exprs\[1\]: attribute `gone` is not declared"):
        read_values(shop.evaluation, shop.index, [count_of("order"), gone], [])
