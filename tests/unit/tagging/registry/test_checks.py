"""Checks that a draft can be evaluated before it is published."""

from __future__ import annotations

import pytest

from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.registry.checks import check_countable
from tests.unit.tagging.sample_workspace import PopulatedShop


def check(text: str) -> None:
    shop = PopulatedShop()
    evaluation = shop.evaluation()
    bound = evaluation.bind(text)
    check_countable(evaluation.with_draft(bound), shop.index, bound)


def test_drafts_that_can_be_evaluated_pass() -> None:
    check("metric m = count(order)\nsegment s: m > 1 and city matches '^B'\ntag t: 'a' when in segment s; else 'b'")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("segment good: did order\nsegment bad: city matches '('", "RULE_VALUE"),
        ("tag bad: 'a' when did order on 9999-12-31; else 'b'", "RULE_TIME"),
    ],
)
def test_a_draft_that_cannot_be_evaluated_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(text)
    assert caught.value.reason == reason
