"""Rules, dependents, proposals and drafts as messages."""

from __future__ import annotations

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.tagging.registry.messages import dependent_message, draft_message, proposal_message, rule_message
from quanyu.tagging.storage.tables import APPROVED, OPEN, Draft, Proposal, PublishedRule
from tests.unit.tagging.sample_workspace import NOW_MS, PopulatedShop


def test_a_rule_keeps_every_field() -> None:
    row = PublishedRule(
        workspace="shop", name="s", version=2, kind="tag", text="tag s@2: ...", author="ann", published_at_ms=NOW_MS
    )
    message = rule_message(row)
    assert (message.name, message.version, message.kind) == ("s", 2, pb.Rule.KIND_TAG)
    assert (message.text, message.author) == ("tag s@2: ...", "ann")
    assert message.published_at.ToMilliseconds() == NOW_MS


def test_a_dependent_states_whether_it_is_the_newest_version() -> None:
    library = PopulatedShop("segment s: did order", "segment s@2: city = 'Beijing'").library
    older, newest = (dependent_message(("s", version), library, direct=version == 2) for version in (1, 2))
    assert (older.newest, older.direct, newest.newest, newest.direct) == (False, False, True, True)
    assert older.kind == pb.Rule.KIND_SEGMENT


def proposal(**fields: object) -> pb.Proposal:
    impact = pb.DescribeImpactResponse(left_out=3).SerializeToString()
    row = Proposal(
        id=7, workspace="shop", text="t", author="ann", note="n", impact=impact, proposed_at_ms=NOW_MS, **fields
    )
    return proposal_message(row)


def test_an_open_proposal_has_no_decision() -> None:
    message = proposal(state=OPEN, decided_by="", decision_note="", decided_at_ms=None)
    assert (message.id, message.state, message.impact.left_out) == (7, pb.Proposal.STATE_OPEN, 3)
    assert not message.HasField("decided_at")


def test_a_decided_proposal_has_its_decider_and_time() -> None:
    message = proposal(state=APPROVED, decided_by="bob", decision_note="fine", decided_at_ms=NOW_MS + 5)
    assert (message.state, message.decided_by, message.decision_note) == (pb.Proposal.STATE_APPROVED, "bob", "fine")
    assert message.decided_at.ToMilliseconds() == NOW_MS + 5


def test_a_draft_keeps_every_field() -> None:
    row = Draft(workspace="shop", name="d", text="city =", revision=4, author="ann", saved_at_ms=NOW_MS)
    message = draft_message(row)
    assert (message.name, message.text, message.revision, message.author) == ("d", "city =", 4, "ann")
    assert message.saved_at.ToMilliseconds() == NOW_MS
