"""Calls about proposals and drafts."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.reviews import ReviewCalls
from tests.unit.tagging.sample_workspace import Call, PublishingShop, request_context_of


@pytest.fixture
def calls(database: Database) -> ReviewCalls:
    return ReviewCalls(request_context_of(PublishingShop()), database)


def propose(calls: ReviewCalls, name: str) -> int:
    request = pb.ProposeRuleRequest(workspace="shop", text=f"segment {name}: city = 'Beijing'", author="ann")
    return int(calls.ProposeRule(request, Call()).proposal.id)


def decide(calls: ReviewCalls, number: int, decision: int) -> pb.DecideProposalResponse:
    request = pb.DecideProposalRequest(workspace="shop", id=number, by="bob", decision=decision)  # type: ignore[arg-type]
    return calls.DecideProposal(request, Call())


def test_a_proposal_is_decided_and_read_again(calls: ReviewCalls) -> None:
    number = propose(calls, "s")
    decided = decide(calls, number, pb.DecideProposalRequest.DECISION_APPROVE)
    assert [rule.name for rule in decided.rules] == ["s"]
    found = calls.GetProposal(pb.GetProposalRequest(workspace="shop", id=number), Call()).proposal
    assert found == decided.proposal
    assert (found.state, found.decided_by) == (pb.Proposal.STATE_APPROVED, "bob")


def test_a_decision_is_to_approve_or_to_reject(calls: ReviewCalls) -> None:
    with pytest.raises(InvalidInput) as caught:
        decide(calls, propose(calls, "s"), pb.DecideProposalRequest.DECISION_UNSPECIFIED)
    assert caught.value.reason == "NO_DECISION"


def test_proposals_are_listed_newest_first_by_page_and_state(calls: ReviewCalls) -> None:
    numbers = [propose(calls, name) for name in "abc"]
    decide(calls, numbers[1], pb.DecideProposalRequest.DECISION_REJECT)

    def listed(**fields: object) -> pb.ListProposalsResponse:
        return calls.ListProposals(pb.ListProposalsRequest(workspace="shop", **fields), Call())  # type: ignore[arg-type]

    first = listed(page_size=2)
    rest = listed(page_size=2, page_token=first.next_page_token)
    assert [one.id for one in (*first.proposals, *rest.proposals)] == numbers[::-1]
    assert rest.next_page_token == ""
    assert [one.id for one in listed(state=pb.Proposal.STATE_REJECTED).proposals] == [numbers[1]]


def test_drafts_are_saved_read_and_listed(calls: ReviewCalls) -> None:
    for name in ("b", "a"):
        request = pb.SaveDraftRequest(workspace="shop", name=name, text=f"{name} =", author="ann")
        assert calls.SaveDraft(request, Call()).draft.revision == 1
    assert calls.GetDraft(pb.GetDraftRequest(workspace="shop", name="a"), Call()).draft.text == "a ="
    first = calls.ListDrafts(pb.ListDraftsRequest(workspace="shop", page_size=1), Call())
    rest = calls.ListDrafts(
        pb.ListDraftsRequest(workspace="shop", page_size=1, page_token=first.next_page_token), Call()
    )
    assert [draft.name for draft in (*first.drafts, *rest.drafts)] == ["a", "b"]
    assert rest.next_page_token == ""
