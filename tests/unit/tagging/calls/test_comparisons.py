"""Comparisons of versions, dependents and impact."""

from __future__ import annotations

from typing import Any

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.comparisons import ComparisonCalls
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PopulatedShop, request_context_of

AS_OF = pb.AsOf(instant=timestamp(NOW_MS))


@pytest.fixture(scope="module")
def calls() -> ComparisonCalls:
    shop = PopulatedShop(
        "segment s: city = 'Beijing'",
        "segment s@2: did order",
        "segment s@4: did order in last 30d",
        "segment user: in segment s",
        "segment far: in segment user",
        "metric m = count(order)",
    )
    return ComparisonCalls(request_context_of(shop))


def diff(calls: ComparisonCalls, **fields: Any) -> pb.RuleChange:
    change: pb.RuleChange = calls.DiffRule(pb.DiffRuleRequest(workspace="shop", as_of=AS_OF, **fields), Call()).change
    return change


def test_a_version_is_compared_with_the_previous_one(calls: ComparisonCalls) -> None:
    change = diff(calls, name="s", to_version=4)
    assert (change.from_version, change.to_version) == (2, 4)
    newest = diff(calls, name="s", to_version=0)
    assert (newest.from_version, newest.to_version) == (2, 4)


def test_a_comparison_counts_entering_and_leaving_people(calls: ComparisonCalls) -> None:
    (moved,) = diff(calls, name="s", from_version=1, to_version=2).comparisons
    assert (moved.entering, moved.leaving, moved.staying) == (1, 1, 1)


def test_a_published_version_is_compared_with_a_text(calls: ComparisonCalls) -> None:
    change = diff(calls, name="s", text="segment s@9: did order ever and city = 'Beijing'")
    assert (change.from_version, change.to_version) == (4, 9)
    assert (change.comparisons[0].leaving, change.comparisons[0].staying) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "s", "to_version": 1}, "NO_FORMER_VERSION"),
        ({"name": "s", "text": "segment other: did order"}, "DIFF_NAME"),
    ],
)
def test_a_comparison_needs_two_versions(calls: ComparisonCalls, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        diff(calls, **fields)
    assert caught.value.reason == reason


def test_dependents_are_listed_page_by_page(calls: ComparisonCalls) -> None:
    found, token = [], ""
    for _ in range(2):
        request = pb.ListDependentsRequest(workspace="shop", name="s", page_size=1, page_token=token)
        page = calls.ListDependents(request, Call())
        found += [(one.name, one.version, one.direct) for one in page.dependents]
        token = page.next_page_token
    assert found == [("far", 1, False), ("user", 1, True)]
    assert token == ""


def test_impact_compares_changed_rules_and_their_dependents(calls: ComparisonCalls) -> None:
    request = pb.DescribeImpactRequest(workspace="shop", as_of=AS_OF, text="segment s@5: city = 'Harbin'")
    impact = calls.DescribeImpact(request, Call())
    assert [(change.name, change.to_version) for change in impact.changed] == [("s", 5)]
    assert {change.name for change in impact.dependents} == {"user", "far"}
