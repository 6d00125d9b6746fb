"""Types: which pairs have a common type, and what arithmetic results in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.model.types import (
    BOOL,
    NUMBER,
    RECENCY,
    UNTYPED,
    Type,
    arithmetic,
    can_unify,
    common_order,
    nfkc,
    unify,
)

CNY, USD = Type("money", "CNY"), Type("money", "USD")
LITERAL = Type("number", literal=True)
TEXT = Type("text")
LEVEL = Type("enum", values=("low", "high"), ordered=True)
COLOR = Type("enum", values=("red", "blue"))
TYPES = [NUMBER, LITERAL, CNY, USD, TEXT, LEVEL, COLOR, BOOL, RECENCY, UNTYPED, Type("date"), Type("set")]


@given(st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_a_common_type_does_not_depend_on_the_order(a: Type, b: Type) -> None:
    assert can_unify(a, b) == can_unify(b, a) == (unify(a, b) is not None)


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [
        (CNY, LITERAL, CNY),
        (CNY, NUMBER, None),
        (CNY, USD, None),
        (NUMBER, BOOL, None),
        (UNTYPED, CNY, CNY),
        (LEVEL, TEXT, TEXT),
        (RECENCY, Type("duration", literal=True), RECENCY),
    ],
)
def test_two_types_have_their_common_type(a: Type, b: Type, common: Type | None) -> None:
    assert unify(a, b) == common


def test_two_enums_share_an_order_only_if_it_is_the_same() -> None:
    high = Type("text", values=("high",), literal=True)
    assert common_order(LEVEL, high) == common_order(high, LEVEL) == ("low", "high")
    assert common_order(LEVEL, Type("text", values=("middle",), literal=True)) is None
    assert common_order(LEVEL, Type("enum", values=("high", "low"), ordered=True)) is None
    assert common_order(COLOR, high) is None


@pytest.mark.parametrize(
    ("a", "op", "b", "result"),
    [
        (CNY, "+", CNY, CNY),
        (CNY, "+", USD, None),
        (CNY, "/", CNY, NUMBER),
        (CNY, "/", USD, None),
        (CNY, "*", CNY, None),
        (NUMBER, "*", CNY, CNY),
        (NUMBER, "/", CNY, None),
        (NUMBER, "-", TEXT, None),
    ],
)
def test_arithmetic_has_the_type_of_its_operands(a: Type, op: str, b: Type, result: Type | None) -> None:
    assert arithmetic(op, a, b) == result


@given(st.text())
def test_normalized_text_is_stable(text: str) -> None:
    assert nfkc(nfkc(text)) == nfkc(text)
