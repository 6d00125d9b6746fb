"""Calls that publish, read and roll back rules."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import FailedPrecondition, NotFound
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.versions import VersionCalls
from tests.unit.tagging.sample_workspace import Call, PublishingShop, request_context_of


@pytest.fixture
def calls(database: Database) -> VersionCalls:
    return VersionCalls(request_context_of(PublishingShop()), database, by_approval=False)


def publish(calls: VersionCalls, *texts: str) -> None:
    for text in texts:
        calls.PublishRule(pb.PublishRuleRequest(workspace="shop", text=text, author="ann"), Call())


def test_a_rule_is_read_with_its_explanation_and_dependencies(calls: VersionCalls) -> None:
    publish(calls, "metric m = count(order)\nsegment s: m > 1 and city = 'Beijing'", "segment s@2: m > 5")
    found = calls.GetRule(pb.GetRuleRequest(workspace="shop", name="s", version=1), Call())
    assert (found.rule.text, found.rule.author) == ("segment s@1: m@1 > 1 and city = 'Beijing'", "ann")
    assert (len(found.explanation), list(found.dependencies)) == (2, ["m@1"])
    newest = calls.GetRule(pb.GetRuleRequest(workspace="shop", name="s"), Call())
    assert newest.rule.version == 2
    with pytest.raises(NotFound):
        calls.GetRule(pb.GetRuleRequest(workspace="shop", name="t"), Call())


def test_rules_are_listed_page_by_page(calls: VersionCalls) -> None:
    publish(calls, "segment b: did order", "segment a: did order", "segment b@2: city = 'Beijing'")
    found, token = [], ""
    while True:
        page = calls.ListRules(pb.ListRulesRequest(workspace="shop", page_size=2, page_token=token), Call())
        found += [(rule.name, rule.version) for rule in page.rules]
        token = page.next_page_token
        if not token:
            break
    assert found == [("a", 1), ("b", 1), ("b", 2)]


def test_a_rollback_describes_the_change_of_members(calls: VersionCalls) -> None:
    publish(calls, "segment s: city = 'Beijing'", "segment s@2: city = 'Harbin'")
    request = pb.RollBackRuleRequest(workspace="shop", name="s", to_version=1, author="bob")
    found = calls.RollBackRule(request, Call())
    assert (found.rule.version, found.rule.text, found.rule.author) == (3, "segment s@3: city = 'Beijing'", "bob")
    (moved,) = found.change.comparisons
    assert (found.change.from_version, moved.entering, moved.leaving) == (2, 2, 1)


def test_nothing_is_published_directly_if_approval_is_required(database: Database) -> None:
    calls = VersionCalls(request_context_of(PublishingShop()), database, by_approval=True)
    with pytest.raises(FailedPrecondition, match="call ProposeRule") as caught:
        publish(calls, "segment s: did order")
    assert caught.value.reason == "APPROVAL_REQUIRED"
    with pytest.raises(FailedPrecondition):
        calls.RollBackRule(pb.RollBackRuleRequest(workspace="shop", name="s", to_version=1), Call())
