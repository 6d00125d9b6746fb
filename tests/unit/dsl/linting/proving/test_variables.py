"""Variables: their domains, and which of them are the same."""

import math

import pytest

from quanyu.dsl.linting.proving.formulas import TRUE, atom
from quanyu.dsl.linting.proving.timeline import NOW, Ago
from quanyu.dsl.linting.proving.value_sets import IS_FALSE, IS_TRUE, DiscreteSet, IntervalSet, intersect
from quanyu.dsl.linting.proving.variables import (
    Before,
    BooleanVariable,
    EventSet,
    Known,
    Sign,
    Tally,
    TextTest,
    ValueVariable,
)

ORDERS = EventSet((("order", TRUE),))


@pytest.mark.parametrize(
    "variable",
    [BooleanVariable("x"), Known("x"), Before("x", NOW), TextTest("x", "contains", "a")],
    ids=lambda variable: type(variable).__name__,
)
def test_a_statement_is_true_or_false(variable: BooleanVariable) -> None:
    assert variable.domain == DiscreteSet.of(True, False)
    assert intersect(variable.domain, ~IS_TRUE) == IS_FALSE


def test_two_values_have_one_of_three_orders() -> None:
    assert Sign("x", "y").domain == DiscreteSet.of("<", "=", ">")


@pytest.mark.parametrize(
    ("limit", "contained", "excluded"), [(math.inf, [0, 1, 10**9], [-1]), (2, [0, 1, 2], [-1, 3]), (0, [0], [-1, 1])]
)
def test_a_tally_is_a_whole_number_from_zero_to_its_limit(
    limit: float, contained: list[int], excluded: list[int]
) -> None:
    domain = Tally("count", ORDERS, Ago(7), NOW, limit=limit).domain
    assert isinstance(domain, IntervalSet)
    assert domain.whole
    for number in contained:
        assert intersect(domain, IntervalSet.comparing("=", number, whole=True))
    for number in excluded:
        assert not intersect(domain, IntervalSet.comparing("=", number, whole=True))


def test_the_domain_does_not_distinguish_variables() -> None:
    assert ValueVariable("x") == ValueVariable("x", DiscreteSet.of("a"))
    assert Tally("days", ORDERS, Ago(7), NOW, limit=8) == Tally("days", ORDERS, Ago(7), NOW)
    assert hash(Tally("days", ORDERS, Ago(7), NOW, limit=8)) == hash(Tally("days", ORDERS, Ago(7), NOW))


def test_variables_of_different_kinds_are_different() -> None:
    variables = {
        ValueVariable("x"),
        BooleanVariable("x"),
        Known("x"),
        Before("x", NOW),
        Before("x", Ago(7)),
        TextTest("x", "contains", "a"),
        TextTest("x", "starts with", "a"),
        Sign("x", "y"),
        Sign("y", "x"),
        Tally("count", ORDERS, Ago(7), NOW),
        Tally("days", ORDERS, Ago(7), NOW),
        Tally("distinct", ORDERS, Ago(7), NOW, ("store",)),
    }
    assert len(variables) == 12


def test_sets_of_the_same_events_are_equal() -> None:
    paid = atom(Known(("event", "paid")), IS_TRUE)
    same = EventSet((("order", TRUE),))
    assert same == ORDERS
    assert hash(same) == hash(ORDERS)
    assert EventSet((("order", paid),)) != ORDERS
    assert EventSet((("scan", TRUE),)) != ORDERS
