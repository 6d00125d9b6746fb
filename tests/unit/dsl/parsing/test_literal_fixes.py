"""Corrections of literals."""

from decimal import Decimal

import pytest

from quanyu.dsl import RuleError, parse_condition
from quanyu.dsl.parsing.literal_fixes import find_nearest_dates, find_nearest_integers, swap_coordinates


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        ("x between 5 and 1", "1 and 5"),
        ("x between 50% and 1%", "1% and 50%"),
        ("x between 2d and 1d", "1d and 2d"),
        ("did order between 2026-01-02 and 2026-01-01", "2026-01-01 and 2026-01-02"),
        ("did order between 2026-01-02 10:00 and 2026-01-01 09:30", "2026-01-01 09:30 and 2026-01-02 10:00"),
    ],
)
def test_ends_in_the_wrong_order_are_swapped(text: str, offer: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text)
    assert caught.value.suggestions == (offer,)


def test_coordinates_are_swapped_only_if_they_then_are_a_point() -> None:
    assert swap_coordinates(Decimal("121.4"), Decimal("31.2")) == ["(31.2, 121.4)"]
    assert swap_coordinates(Decimal(200), Decimal(31)) == []


def test_nearest_integers_surround_the_number() -> None:
    assert find_nearest_integers(Decimal("1.5")) == ["1", "2"]


@pytest.mark.parametrize(
    ("date", "nearest"),
    [
        ("2026-02-30", ["2026-02-28", "2026-03-01"]),
        ("2024-02-30", ["2024-02-29", "2024-03-01"]),
        ("2026-12-32", ["2026-12-31", "2027-01-01"]),
        ("2026-13-01", []),
        ("0000-01-01", []),
        ("2026-01-01 25:00", []),
        ("0000-01", []),
    ],
)
def test_nearest_dates_are_the_last_of_the_month_and_the_next_day(date: str, nearest: list[str]) -> None:
    assert find_nearest_dates(date) == nearest
