"""Proposals: one person proposes a text, and another decides once whether it is published."""

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
    """A decision on a proposal and the person who takes it; `state`: APPROVED or REJECTED."""

    state: str
    by: str
    note: str


def propose(
    database: Database, workspace: Workspace, text: str, author: str, note: str, limits: Limits | None = None
) -> Proposal:
    """Returns the open proposal of this text by this author, and creates it if necessary.

    Raises InvalidInput if the text cannot be published, or if all its rules are published already.
    """
    _check_person("author", author)
    _check_note(note)
    evaluation = workspace.evaluation_at(now_ms(), limits=limits)
    bound = evaluation.bind(text)
    rows = rules_to_publish(workspace.name, bound, author)
    if all((row.name, row.version) in evaluation.library.rules for row in rows):
        raise InvalidInput(
            "all rules of the text are already published; there is nothing to propose", reason="NOTHING_TO_PROPOSE"
        )
    check_countable(evaluation.with_draft(bound), workspace.index, bound)
    proposal = Proposal(
        workspace=workspace.name,
        text="\n".join(row.text for row in rows),
        author=author,
        note=note,
        impact=_impact_without_people(evaluation, workspace, bound).SerializeToString(),
        proposed_at_ms=evaluation.clock.as_of_ms,
        state=OPEN,
    )
    with database.writing() as session:
        existing = open_proposal(session, workspace.name, proposal.text, author)
        if existing is None:
            session.add(proposal)
        return existing or proposal


def _impact_without_people(
    evaluation: EvaluationContext, workspace: Workspace, bound: BoundRules
) -> pb.DescribeImpactResponse:
    """Returns the impact without its samples: people may be erased while the proposal is stored."""
    message = impact_message(describe_impact(evaluation, workspace.index, bound), evaluation.clock.as_of_ms)
    for comparison in (c for change in (*message.changed, *message.dependents) for c in change.comparisons):
        for field in ("entering_sample", "leaving_sample", "entering_clauses", "leaving_clauses"):
            comparison.ClearField(field)
    return message


def decide(
    database: Database, workspace: Workspace, number: int, decision: Decision, limits: Limits | None = None
) -> tuple[Proposal, list[PublishedRule]]:
    """Decides a proposal; returns it and the rules that an approval publishes.

    The same decision again changes nothing. Raises Conflict if the opposite was decided before.
    """
    _check_person("by", decision.by)
    _check_note(decision.note)
    proposal = get_proposal(database, workspace.name, number)
    if proposal.state == OPEN:
        _apply_decision(database, workspace, proposal, decision, limits)
        proposal = get_proposal(database, workspace.name, number)
    if proposal.state != decision.state:
        raise Conflict(
            f"proposal {number} was {proposal.state} by {proposal.decided_by}, which is final; propose the text again",
            reason="PROPOSAL_DECIDED",
            state=proposal.state,
        )
    return proposal, _published_rules(database, proposal) if proposal.state == APPROVED else []


def get_proposal(database: Database, workspace: str, number: int) -> Proposal:
    """Returns a proposal. Raises NotFound if there is no such proposal."""
    with database.reading() as session:
        proposal = find_proposal(session, workspace, number)
    if proposal is None:
        raise NotFound(f"there is no proposal {number}; see ListProposals", reason="UNKNOWN_PROPOSAL")
    return proposal


def _apply_decision(
    database: Database, workspace: Workspace, proposal: Proposal, decision: Decision, limits: Limits | None
) -> None:
    """Writes the decision, unless the proposal was decided meanwhile; an approval publishes its rules."""
    if decision.state == REJECTED:
        with database.writing() as session:
            decide_proposal(session, proposal.id, decision.state, decision.by, decision.note, now_ms())
        return
    if decision.by == proposal.author:
        message = f"{decision.by} proposed this text; another person must approve it"
        raise FailedPrecondition(message, reason="SELF_APPROVAL")

    def write_approval(session: Session) -> None:
        if not decide_proposal(session, proposal.id, decision.state, decision.by, decision.note, now_ms()):
            raise _DecidedMeanwhileError

    try:
        publish(database, workspace, proposal.text, proposal.author, limits, also=write_approval)
    except _DecidedMeanwhileError:
        return
    except (InvalidInput, Conflict) as error:
        raise FailedPrecondition(
            _outdated_message(database, proposal, error), reason="PROPOSAL_OUTDATED", **error.metadata
        ) from error


class _DecidedMeanwhileError(Exception):
    """Rolls back the transaction of an approval: somebody else decided first."""


def _outdated_message(database: Database, proposal: Proposal, error: DomainError) -> str:
    """Returns the message for a proposal that can no longer be published: what changed since then."""
    taken = [
        f"{rule.name}@{rule.version} was published by {rule.author or 'an unnamed author'}: {rule.text}"
        for rule in _published_rules(database, proposal)
        if rule.text not in proposal.text.split("\n")
    ]
    why = "; ".join(taken) or error.message
    return (
        f"proposal {proposal.id} can no longer be published and stays open: {why}; reject it and propose the text again"
    )


def _published_rules(database: Database, proposal: Proposal) -> list[PublishedRule]:
    """Returns the published rules that have a name and version of the proposal."""
    keys = [rule_key(rule) for rule in parse(proposal.text).statements if isinstance(rule, Rule)]
    with database.reading() as session:
        found = [find_rule(session, proposal.workspace, *name_version) for name_version in keys]
    return [rule for rule in found if rule is not None]


def _check_person(field: str, name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        message = f"{field}: give the person's name, in 1 to {LONGEST_NAME} characters"
        raise InvalidInput(message, reason="MISSING_PERSON", field=field)


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"note: at most {LONGEST_NOTE:,} characters", reason="NOTE_TOO_LONG", field="note")
