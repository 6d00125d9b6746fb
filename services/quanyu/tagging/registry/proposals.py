"""Proposals: a text is laid before others, who decide once and for all whether it is published."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import BoundRules, parse
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.engine import Limits
from quanyu.runtime.errors import Conflict, DomainError, FailedPrecondition, InvalidInput, NotFound
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.database import Database
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.preview.impact import describe_impact
from quanyu.tagging.preview.messages import impact_message
from quanyu.tagging.registry.checks import check_countable
from quanyu.tagging.registry.publishing import publish, rules_to_publish
from quanyu.tagging.storage.store import (
    decide_proposal,
    find_proposal,
    find_rule,
    open_proposal,
)
from quanyu.tagging.storage.tables import (
    APPROVED,
    LONGEST_NAME,
    OPEN,
    REJECTED,
    Proposal,
    PublishedRule,
)
from quanyu.tagging.workspace import Workspace

LONGEST_NOTE = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """`state`: approved or rejected."""

    state: str
    by: str
    note: str


def propose(
    database: Database, workspace: Workspace, text: str, author: str, note: str, limits: Limits | None = None
) -> Proposal:
    """The open proposal of this text by this author: a new one, or the one that there is."""
    _refuse_person("author", author)
    _refuse_note(note)
    evaluation = workspace.evaluation_at(now_ms(), limits=limits)
    bound = evaluation.bind(text)
    rows = rules_to_publish(workspace.name, bound, author)
    if all((row.name, row.version) in evaluation.library.rules for row in rows):
        raise InvalidInput("all rules of the text are published already, just so", reason="NOTHING_TO_PROPOSE")
    check_countable(evaluation.with_draft(bound), workspace.index, bound)
    proposal = Proposal(
        workspace=workspace.name,
        text="\n".join(row.text for row in rows),
        author=author,
        note=note,
        impact=_impact(evaluation, workspace, bound).SerializeToString(),
        proposed_at_ms=evaluation.clock.as_of_ms,
        state=OPEN,
    )
    with database.writing() as session:
        there = open_proposal(session, workspace.name, proposal.text, author)
        if there is None:
            session.add(proposal)
        return there or proposal


def _impact(evaluation: EvaluationContext, workspace: Workspace, bound: BoundRules) -> pb.DescribeImpactResponse:
    """Without the people of its samples, who may be erased while it is kept."""
    message = impact_message(describe_impact(evaluation, workspace.index, bound), evaluation.clock.as_of_ms)
    for comparison in (c for change in (*message.changed, *message.dependents) for c in change.comparisons):
        for field in ("entering_sample", "leaving_sample", "entering_clauses", "leaving_clauses"):
            comparison.ClearField(field)
    return message


def decide(
    database: Database, workspace: Workspace, number: int, decision: Decision, limits: Limits | None = None
) -> tuple[Proposal, list[PublishedRule]]:
    """The proposal, and what an approval published. Conflict if the opposite was decided before."""
    _refuse_person("by", decision.by)
    _refuse_note(decision.note)
    proposal = get_proposal(database, workspace.name, number)
    if proposal.state == OPEN:
        _apply_decision(database, workspace, proposal, decision, limits)
        proposal = get_proposal(database, workspace.name, number)
    if proposal.state != decision.state:
        raise Conflict(
            f"proposal {number} was {proposal.state} by {proposal.decided_by}; a decision stays: propose the text anew",
            reason="PROPOSAL_DECIDED",
            state=proposal.state,
        )
    return proposal, _published(database, proposal) if proposal.state == APPROVED else []


def get_proposal(database: Database, workspace: str, number: int) -> Proposal:
    """NotFound if there is no such proposal."""
    with database.reading() as session:
        proposal = find_proposal(session, workspace, number)
    if proposal is None:
        raise NotFound(f"there is no proposal {number}; see ListProposals", reason="UNKNOWN_PROPOSAL")
    return proposal


def _apply_decision(
    database: Database, workspace: Workspace, proposal: Proposal, decision: Decision, limits: Limits | None
) -> None:
    """Decides it, unless somebody else just did."""
    if decision.state == REJECTED:
        with database.writing() as session:
            decide_proposal(session, proposal.id, decision.state, decision.by, decision.note, now_ms())
        return
    if decision.by == proposal.author:
        message = f"{decision.by} proposed this: somebody else has to approve it"
        raise FailedPrecondition(message, reason="SELF_APPROVAL")

    def settled(session: Session) -> None:
        if not decide_proposal(session, proposal.id, decision.state, decision.by, decision.note, now_ms()):
            raise _DecidedMeanwhileError

    try:
        publish(database, workspace, proposal.text, proposal.author, limits, also=settled)
    except _DecidedMeanwhileError:
        return
    except (InvalidInput, Conflict) as error:
        raise FailedPrecondition(
            _outdated(database, proposal, error), reason="PROPOSAL_OUTDATED", **error.metadata
        ) from error


class _DecidedMeanwhileError(Exception):
    """Nothing is published by it."""


def _outdated(database: Database, proposal: Proposal, error: DomainError) -> str:
    """What changed since it was proposed."""
    taken = [
        f"{rule.name}@{rule.version} was published by {rule.author or 'somebody'}: {rule.text}"
        for rule in _published(database, proposal)
        if rule.text not in proposal.text.split("\n")
    ]
    why = "; ".join(taken) or error.message
    return f"proposal {proposal.id} cannot be published any more, so it stays open: {why}; reject it, and propose anew"


def _published(database: Database, proposal: Proposal) -> list[PublishedRule]:
    """The rules of its names and versions that there are."""
    keys = [rule_key(rule) for rule in parse(proposal.text).statements if isinstance(rule, Rule)]
    with database.reading() as session:
        found = [find_rule(session, proposal.workspace, *name_version) for name_version in keys]
    return [rule for rule in found if rule is not None]


def _refuse_person(field: str, name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        message = f"{field}: say who it is, in 1 to {LONGEST_NAME} characters"
        raise InvalidInput(message, reason="MISSING_PERSON", field=field)


def _refuse_note(note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"note: at most {LONGEST_NOTE:,} characters", reason="NOTE_TOO_LONG", field="note")
