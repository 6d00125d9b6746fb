"""Overlaps of several conditions."""

from __future__ import annotations

import pytest

from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.preview.overlap import MAX_SETS, count_overlap
from tests.unit.tagging.sample_workspace import PopulatedShop

BEIJING, ORDERED, LARGE = "city = 'Beijing'", "did order ever", "max(order.amount) > 10"


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop()


def test_everybody_is_in_exactly_one_combination_or_outside(shop: PopulatedShop) -> None:
    found = count_overlap(shop.evaluation(), shop.index, [BEIJING, ORDERED, LARGE])
    assert dict(found.patterns) == {(0, 1, 2): 1, (0,): 1, (1,): 1}
    assert found.outside == 0
    assert count_overlap(shop.evaluation(), shop.index, [LARGE, "city = 'Harbin'"]).outside == 1


def test_each_set_has_its_own_count_and_unknowns(shop: PopulatedShop) -> None:
    assert count_overlap(shop.evaluation(), shop.index, [BEIJING, LARGE]).sets == [(BEIJING, 2, 0), (LARGE, 1, 1)]


def test_the_largest_combination_comes_first(shop: PopulatedShop) -> None:
    found = count_overlap(shop.evaluation(), shop.index, [LARGE, "city is known"])
    assert found.patterns == [((1,), 2), ((0, 1), 1)]


@pytest.mark.parametrize("conditions", [[], [BEIJING], [BEIJING] * (MAX_SETS + 1)])
def test_a_number_of_sets_outside_the_limits_is_rejected(shop: PopulatedShop, conditions: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        count_overlap(shop.evaluation(), shop.index, conditions)
    assert caught.value.reason == "OVERLAP_SETS"


def test_the_error_names_the_wrong_condition(shop: PopulatedShop) -> None:
    with pytest.raises(InvalidInput, match=r"conditions\[1\]") as caught:
        count_overlap(shop.evaluation(), shop.index, [BEIJING, "segment s: did order"])
    assert (caught.value.reason, caught.value.metadata["field"]) == ("RULE_NOT_A_SET", "conditions[1]")
