"""Converts published rules, their dependents, proposals and drafts to messages."""

from __future__ import annotations

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library
from quanyu.runtime.instants import timestamp
from quanyu.tagging.evaluation.messages import KINDS
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.storage.tables import APPROVED, OPEN, REJECTED, Draft, Proposal, PublishedRule

STATES = {
    OPEN: pb.Proposal.STATE_OPEN,
    APPROVED: pb.Proposal.STATE_APPROVED,
    REJECTED: pb.Proposal.STATE_REJECTED,
}


def rule_message(rule: PublishedRule) -> pb.Rule:
    return pb.Rule(
        name=rule.name,
        version=rule.version,
        kind=KINDS[rule.kind],
        text=rule.text,
        author=rule.author,
        published_at=timestamp(rule.published_at_ms),
    )


def dependent_message(user: tuple[str, int], library: Library, *, direct: bool) -> pb.Dependent:
    """Converts a dependent rule. `user`: its name and version, which the library holds."""
    name, version = user
    kind = KINDS[kind_of(library.rules[user])]
    return pb.Dependent(name=name, version=version, kind=kind, direct=direct, newest=library.newest(name) == version)


def proposal_message(proposal: Proposal) -> pb.Proposal:
    return pb.Proposal(
        id=proposal.id,
        state=STATES[proposal.state],
        text=proposal.text,
        author=proposal.author,
        note=proposal.note,
        proposed_at=timestamp(proposal.proposed_at_ms),
        impact=pb.DescribeImpactResponse.FromString(proposal.impact),
        decided_by=proposal.decided_by,
        decision_note=proposal.decision_note,
        decided_at=None if proposal.decided_at_ms is None else timestamp(proposal.decided_at_ms),
    )


def draft_message(draft: Draft) -> pb.Draft:
    return pb.Draft(
        name=draft.name,
        text=draft.text,
        revision=draft.revision,
        author=draft.author,
        saved_at=timestamp(draft.saved_at_ms),
    )
