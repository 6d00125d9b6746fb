"""Instants and numbers as the plan holds them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.calendar.relative_time import RelativeInstant
from quanyu.dsl.planning.literals import Ago, decimal_text, instant_of


def test_a_relative_instant_is_its_distance_before_as_of() -> None:
    assert instant_of(RelativeInstant(1_000) - 300, 1_000) == Ago(300)
    assert instant_of(RelativeInstant(1_000) + 5, 1_000) == Ago(-5)


def test_a_fixed_instant_and_a_fixed_duration_stay_numbers() -> None:
    assert instant_of(700, 1_000) == 700
    now = RelativeInstant(1_000)
    assert instant_of(now - (now - 300), 1_000) == 300


@pytest.mark.parametrize(
    ("number", "text"),
    [("0", "0"), ("-0.50", "-0.5"), ("100", "100"), ("1E+3", "1000"), ("1E-6", "0.000001"), ("12.000", "12")],
)
def test_decimal_text_has_no_exponent_and_no_trailing_zeros(number: str, text: str) -> None:
    assert decimal_text(Decimal(number)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_decimal_text_keeps_the_number(number: Decimal) -> None:
    assert Decimal(decimal_text(number)) == number
