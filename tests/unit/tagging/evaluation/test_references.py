"""References to rules, and the kinds of rules."""

from __future__ import annotations

import pytest

from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.references import kind_of, parse_reference
from tests.unit.tagging.sample_workspace import PopulatedShop


@pytest.mark.parametrize(
    ("text", "reference"),
    [("s", ("s", 0)), ("s@1", ("s", 1)), ("s@3", ("s", 3)), ("客户@12", ("客户", 12)), ("@1", ("", 1))],
)
def test_a_reference_has_a_name_and_an_optional_version(text: str, reference: tuple[str, int]) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize("text", ["s@", "s@one", "s@-1", "s@1.0", "s@²"])
def test_a_version_that_is_not_a_number_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="write `name` or `name@version`") as caught:
        parse_reference(text)
    assert caught.value.reason == "RULE_REFERENCE"


def test_a_kind_is_the_keyword_of_the_rule() -> None:
    shop = PopulatedShop(
        "define d = order", "metric m = count(order)", "segment s: did order", "tag t: 'a' when m > 1; else 'b'"
    )
    kinds = {ref[0]: kind_of(rule) for ref, rule in shop.library.rules.items()}
    assert kinds == {"d": "define", "m": "metric", "s": "segment", "t": "tag"}
