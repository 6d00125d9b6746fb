"""The call that explains a membership, and the checks of its request."""

from __future__ import annotations

from typing import Any

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.explanations import MembershipExplanationCalls
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PopulatedShop, request_context_of


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop("segment locals: city = 'Beijing'")


def explain(shop: PopulatedShop, live: bool = False, **fields: Any) -> pb.ExplainMembershipResponse:
    as_of = pb.AsOf(live=True) if live else pb.AsOf(instant=timestamp(NOW_MS))
    request = pb.ExplainMembershipRequest(workspace="shop", person=shop.persons["ann"], as_of=as_of, **fields)
    return MembershipExplanationCalls(request_context_of(shop)).ExplainMembership(request, Call())


@pytest.mark.parametrize("fields", [{"segment": "locals"}, {"segment": "locals@1"}, {"text": "city = 'Beijing'"}])
def test_a_segment_or_a_text_is_explained(shop: PopulatedShop, fields: dict[str, str]) -> None:
    assert explain(shop, **fields).verdict == pb.VERDICT_TRUE


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "SEGMENT_OR_TEXT"),
        ({"segment": "locals", "text": "did order"}, "SEGMENT_OR_TEXT"),
        ({"segment": "locals", "live": True}, "LIVE_AS_OF"),
    ],
)
def test_a_request_needs_one_rule_and_an_evaluation(shop: PopulatedShop, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        explain(shop, **fields)
    assert caught.value.reason == reason
