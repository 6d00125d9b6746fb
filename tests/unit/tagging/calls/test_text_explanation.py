"""Explanations of drafts with their compiled rules."""

from __future__ import annotations

import pytest

from quanyu.dsl import RuleError
from quanyu.tagging.calls.text_explanation import explain_and_compile
from tests.unit.tagging.sample_workspace import PopulatedShop


def test_a_draft_is_explained_with_its_versions_and_windows() -> None:
    shop = PopulatedShop("metric spend = sum(order.amount in last 90d)")
    text = "segment big: spend >= 50 and city = 'Beijing'"
    explanation = explain_and_compile(shop.evaluation(), text, "en")
    assert len(explanation.sentences) == 2
    assert explanation.versions == ("big@1", "spend@1")
    (compiled,) = explanation.compiled
    assert [window.text for window in compiled.windows] == ["in last 90d"]
    assert shop.library.newest("big") == 0


def test_metrics_and_conditions_without_a_name_are_compiled() -> None:
    evaluation = PopulatedShop().evaluation()
    assert len(explain_and_compile(evaluation, "metric m = count(order in last 7d)", "en").compiled) == 1
    assert len(explain_and_compile(evaluation, "did order in last 7d", "zh").compiled) == 1


def test_a_wrong_text_is_rejected_at_its_place() -> None:
    with pytest.raises(RuleError) as caught:
        explain_and_compile(PopulatedShop().evaluation(), "city = 'Beijing' and citi = 'a'", "en")
    assert caught.value.column == 22
