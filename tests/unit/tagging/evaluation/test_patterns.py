"""Checks of patterns by the engine."""

from __future__ import annotations

import pytest

from quanyu.dsl import RuleError
from quanyu.tagging.evaluation.patterns import check_patterns
from tests.unit.tagging.sample_workspace import PopulatedShop


@pytest.mark.parametrize(
    "condition", ["city matches '^Bei'", "city not matches 'a|b'", "city contains '('", "did order"]
)
def test_valid_patterns_and_other_texts_pass(condition: str) -> None:
    shop = PopulatedShop()
    check_patterns(shop.evaluation().bind(condition), shop.index)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("city matches '('", 1, 14),
        ("city = 'Beijing' or not (city not matches '[')", 1, 43),
        ("segment a: city matches 'ok'\nsegment b: city matches 'a{2,1}'", 2, 25),
    ],
)
def test_the_first_invalid_pattern_is_reported_at_its_place(text: str, line: int, column: int) -> None:
    shop = PopulatedShop()
    with pytest.raises(RuleError, match="is not a valid RE2 pattern") as caught:
        check_patterns(shop.evaluation().bind(text), shop.index)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (line, column, "value")
