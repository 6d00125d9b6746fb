"""A proposal is decided once by another person; a draft is saved only on its newest revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.server_process import FLOW, Quanyu, reason, running
from tests.integration.shop import lives_in
from tests.integration.shop_calls import declare, publish, send, wait_for_rules
from tests.waiting import PATIENCE

APPROVE = pb.DecideProposalRequest.DECISION_APPROVE
REJECT = pb.DecideProposalRequest.DECISION_REJECT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
CONFLICT = grpc.StatusCode.ALREADY_EXISTS
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return reason(caught.value)[:2]


def fill(quanyu: Quanyu) -> int:
    declare(quanyu)
    return wait_for_rules(quanyu, send(quanyu, lives_in("card:ann", "Beijing"), lives_in("card:bob", "Shanghai")))


def propose(quanyu: Quanyu, text: str, author: str = "ann", note: str = "") -> pb.Proposal:
    request = pb.ProposeRuleRequest(workspace=quanyu.workspace, text=text, author=author, note=note)
    proposal: pb.Proposal = quanyu.tagging.ProposeRule(request, timeout=PATIENCE).proposal
    return proposal


def decide(
    quanyu: Quanyu, number: int, decision: pb.DecideProposalRequest.Decision, by: str = "bob"
) -> pb.DecideProposalResponse:
    request = pb.DecideProposalRequest(workspace=quanyu.workspace, id=number, decision=decision, by=by, note="fine")
    answer: pb.DecideProposalResponse = quanyu.tagging.DecideProposal(request, timeout=PATIENCE)
    return answer


def proposals(quanyu: Quanyu, state: pb.Proposal.State = pb.Proposal.STATE_UNSPECIFIED) -> list[int]:
    request = pb.ListProposalsRequest(workspace=quanyu.workspace, state=state, page_size=1)
    found: list[int] = []
    while True:
        page = quanyu.tagging.ListProposals(request)
        found += [proposal.id for proposal in page.proposals]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def test_an_approval_publishes_the_proposal(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    publish(quanyu, "segment north: city = 'Beijing'", offset)
    proposal = propose(quanyu, "segment north@2:  city = 'Shanghai'", note="moved")
    assert (proposal.state, proposal.text) == (pb.Proposal.STATE_OPEN, "segment north@2: city = 'Shanghai'")
    (change,) = proposal.impact.changed
    assert list(change.differences) == ["changed from city = 'Beijing' to city = 'Shanghai'"]
    (moved,) = change.comparisons
    assert (moved.entering, moved.leaving, moved.staying) == (1, 1, 0)
    # The stored proposal has no people, who may be erased later.
    assert [*moved.entering_sample, *moved.leaving_sample] == []
    # A repeated proposal is the same one; one of another author is new.
    assert propose(quanyu, "segment north@2: city = 'Shanghai'") == proposal
    other = propose(quanyu, "segment north@2: city = 'Shanghai'", author="cid")
    assert proposals(quanyu) == [other.id, proposal.id]

    assert refusal(lambda: decide(quanyu, proposal.id, APPROVE, by="ann")) == (PRECONDITION, "SELF_APPROVAL")
    approved = decide(quanyu, proposal.id, APPROVE)
    assert [(rule.name, rule.version, rule.author) for rule in approved.rules] == [("north", 2, "ann")]
    kept = quanyu.tagging.GetProposal(pb.GetProposalRequest(workspace=quanyu.workspace, id=proposal.id)).proposal
    assert (kept.state, kept.decided_by, kept.decision_note) == (pb.Proposal.STATE_APPROVED, "bob", "fine")
    assert kept.decided_at.seconds >= kept.proposed_at.seconds
    assert decide(quanyu, proposal.id, APPROVE, by="dan") == approved
    assert refusal(lambda: decide(quanyu, proposal.id, REJECT)) == (CONFLICT, "PROPOSAL_DECIDED")
    assert proposals(quanyu, pb.Proposal.STATE_OPEN) == [other.id]
    assert proposals(quanyu, pb.Proposal.STATE_APPROVED) == [proposal.id]
    # The rule is published already.
    assert decide(quanyu, other.id, APPROVE).rules == approved.rules


def test_a_rejection_publishes_nothing(quanyu: Quanyu) -> None:
    fill(quanyu)
    proposal = propose(quanyu, "segment north: city = 'Beijing'")
    assert not decide(quanyu, proposal.id, REJECT, by="ann").rules
    assert decide(quanyu, proposal.id, REJECT).proposal.decided_by == "ann"
    assert refusal(lambda: decide(quanyu, proposal.id, APPROVE)) == (CONFLICT, "PROPOSAL_DECIDED")
    assert not quanyu.tagging.ListRules(pb.ListRulesRequest(workspace=quanyu.workspace)).rules


def test_a_stale_proposal_is_rejected(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    proposal = propose(quanyu, "segment north: city = 'Beijing'\nsegment south: city = 'Shanghai'")
    publish(quanyu, "segment north: city = 'Harbin' or city = 'Beijing'", offset)
    with pytest.raises(grpc.RpcError) as caught:
        decide(quanyu, proposal.id, APPROVE)
    assert reason(caught.value)[:2] == (PRECONDITION, "PROPOSAL_OUTDATED")
    assert "north@1 was published by tester: segment north@1: city = 'Harbin' or" in str(caught.value.details())
    assert proposals(quanyu, pb.Proposal.STATE_OPEN) == [proposal.id]
    names = [rule.name for rule in quanyu.tagging.ListRules(pb.ListRulesRequest(workspace=quanyu.workspace)).rules]
    assert names == ["north"]


def test_an_invalid_proposal_or_decision_is_rejected(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    publish(quanyu, "segment north: city = 'Beijing'", offset)
    text = "segment south: city = 'Shanghai'"
    number = propose(quanyu, text).id
    unspecified = pb.DecideProposalRequest.DECISION_UNSPECIFIED
    for call, expected in [
        (lambda: propose(quanyu, text, author=" "), (INVALID, "MISSING_PERSON")),
        (lambda: propose(quanyu, text, author="x" * 256), (INVALID, "MISSING_PERSON")),
        (lambda: propose(quanyu, text, note="x" * 10_001), (INVALID, "NOTE_TOO_LONG")),
        (lambda: propose(quanyu, "segment north: city = 'Beijing'"), (INVALID, "NOTHING_TO_PROPOSE")),
        (lambda: propose(quanyu, "segment south: ctiy = 'Beijing'"), (INVALID, "RULE_NAME")),
        (lambda: propose(quanyu, "city = 'Beijing'"), (INVALID, "RULE_WITHOUT_NAME")),
        (lambda: propose(quanyu, "segment south: city matches '('"), (INVALID, "RULE_VALUE")),
        (lambda: decide(quanyu, number, unspecified), (INVALID, "NO_DECISION")),
        (lambda: decide(quanyu, number, APPROVE, by=""), (INVALID, "MISSING_PERSON")),
        (lambda: decide(quanyu, 10**9, APPROVE), (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PROPOSAL")),
    ]:
        assert refusal(call) == expected
    asked = pb.GetProposalRequest(workspace=quanyu.workspace, id=10**9)
    assert refusal(lambda: quanyu.tagging.GetProposal(asked)) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PROPOSAL")


def test_of_concurrent_decisions_one_succeeds(quanyu: Quanyu) -> None:
    fill(quanyu)
    for turn in range(4):
        number = propose(quanyu, f"segment s{turn}: city = 'Beijing'").id

        def attempt(at: int, number: int = number) -> str:
            try:
                decision = APPROVE if at % 2 else REJECT
                return pb.Proposal.State.Name(decide(quanyu, number, decision, by=f"judge {at}").proposal.state)
            except grpc.RpcError as error:
                return reason(error)[1]

        with ThreadPoolExecutor(6) as pool:
            outcomes = set(pool.map(attempt, range(6)))
        assert len(outcomes) == 2
        assert "PROPOSAL_DECIDED" in outcomes
        names = {rule.name for rule in quanyu.tagging.ListRules(pb.ListRulesRequest(workspace=quanyu.workspace)).rules}
        assert (f"s{turn}" in names) == ("STATE_APPROVED" in outcomes)


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quanyu]:
    monkeypatch.setenv("QUANYU_APPROVAL", "required")
    with running(tmp_path / "data", [FLOW]) as quanyu:
        yield quanyu


def test_required_approval_is_the_only_way_to_publish(strict: Quanyu) -> None:
    offset = fill(strict)
    assert refusal(lambda: publish(strict, "segment north: city = 'Beijing'", offset)) == (
        PRECONDITION,
        "APPROVAL_REQUIRED",
    )
    decide(strict, propose(strict, "segment north: city = 'Beijing'").id, APPROVE)
    decide(strict, propose(strict, "segment north@2: city = 'Shanghai'").id, APPROVE)
    back = pb.RollBackRuleRequest(workspace=strict.workspace, name="north", to_version=1, author="ann")
    assert refusal(lambda: strict.tagging.RollBackRule(back)) == (PRECONDITION, "APPROVAL_REQUIRED")
    strict.restart()
    # The decision is kept.
    (newest, _) = strict.tagging.ListProposals(pb.ListProposalsRequest(workspace=strict.workspace)).proposals
    assert (newest.state, newest.decided_by) == (pb.Proposal.STATE_APPROVED, "bob")


def save(quanyu: Quanyu, text: str, revision: int, author: str = "ann", name: str = "north") -> pb.Draft:
    request = pb.SaveDraftRequest(workspace=quanyu.workspace, name=name, text=text, revision=revision, author=author)
    draft: pb.Draft = quanyu.tagging.SaveDraft(request, timeout=PATIENCE).draft
    return draft


def test_a_draft_is_saved_only_on_its_newest_revision(quanyu: Quanyu) -> None:
    fill(quanyu)
    first = save(quanyu, "segment north: ctiy =", 0)
    assert (first.revision, first.text, first.author) == (1, "segment north: ctiy =", "ann")
    assert save(quanyu, "segment north: ctiy =", 0) == first
    assert save(quanyu, "segment north: city =", 1).revision == 2
    with pytest.raises(grpc.RpcError) as caught:
        save(quanyu, "mine", 1, author="bob")
    assert reason(caught.value) == (CONFLICT, "DRAFT_CHANGED", {"revision": "2"})
    assert refusal(lambda: save(quanyu, "x", 3, name="south")) == (CONFLICT, "DRAFT_CHANGED")
    save(quanyu, "", 0, name="south")
    asked = pb.GetDraftRequest(workspace=quanyu.workspace, name="north")
    assert quanyu.tagging.GetDraft(asked).draft.text == "segment north: city ="
    request = pb.ListDraftsRequest(workspace=quanyu.workspace, page_size=1)
    page = quanyu.tagging.ListDrafts(request)
    request.page_token = page.next_page_token
    rest = quanyu.tagging.ListDrafts(request)
    assert [draft.name for draft in (*page.drafts, *rest.drafts)] == ["north", "south"]
    assert not rest.next_page_token
    asked.name = "east"
    assert refusal(lambda: quanyu.tagging.GetDraft(asked)) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_DRAFT")
    assert refusal(lambda: save(quanyu, "x", 0, name="")) == (INVALID, "DRAFT_NAME")
    assert refusal(lambda: save(quanyu, "x" * 100_001, 2)) == (INVALID, "DRAFT_TOO_LONG")


def test_of_concurrent_saves_one_succeeds(quanyu: Quanyu) -> None:
    fill(quanyu)

    def attempt(at: int) -> str:
        try:
            return str(save(quanyu, f"text {at}", 0).revision)
        except grpc.RpcError as error:
            return reason(error)[1]

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(attempt, range(6))) == ["1"] + ["DRAFT_CHANGED"] * 5
