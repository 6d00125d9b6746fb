"""The explanations of the twenty rules of the introduction, word for word, in both languages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from quanyu.dsl import EventType, Field, Library, check_and_bind, explain
from tests.unit.dsl.twenty_rules import RULES, TAG
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY

_STORE_ID = Field("store_id", "text", reference="store")
_EVENTS = {
    "scan": EventType("scan", {"store_id": _STORE_ID}),
    "refund": EventType("refund", {"amount": Field("amount", "money", currency="CNY"), "store_id": _STORE_ID}),
    "review": EventType("review", {"store_id": _STORE_ID}),
}
WORLD = replace(CATALOG, event_types={**CATALOG.event_types, **_EVENTS})
_UNTAGGED = Library({named: rule for named, rule in LIBRARY.rules.items() if named[0] != "frequency"})
KNOWN = _UNTAGGED.publish(check_and_bind("segment at_risk: last_touch > 60d", WORLD, _UNTAGGED))
EXPLAINED = yaml.safe_load(Path(__file__).with_name("twenty_explained.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("expected", EXPLAINED, ids=[expected["rule"] for expected in EXPLAINED])
def test_a_rule_has_its_explanation_in_both_languages(expected: dict[str, Any]) -> None:
    bound = check_and_bind(expected["rule"], WORLD, KNOWN)
    known = KNOWN.publish(bound)
    assert explain(bound, known, WORLD, CLOCK) == expected["en"]
    assert explain(bound, known, WORLD, CLOCK, "zh") == expected["zh"]


def test_every_rule_has_an_explanation() -> None:
    assert [expected["rule"] for expected in EXPLAINED] == [*RULES, TAG]
