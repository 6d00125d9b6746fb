"""Queries for published rules, proposals and drafts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from quanyu.runtime.errors import NotFound
from quanyu.runtime.storage.database import Database
from quanyu.tagging.storage.tables import (
    OPEN,
    Draft,
    Proposal,
    PublishedRule,
)


def all_rules(session: Session, workspace: str) -> Sequence[PublishedRule]:
    """Returns every version of every rule of a workspace, in no order."""
    return session.scalars(select(PublishedRule).where(PublishedRule.workspace == workspace)).all()


def find_rule(session: Session, workspace: str, name: str, version: int) -> PublishedRule | None:
    """Returns a version of a rule, or the newest if `version` is 0; None if there is no such version."""
    found = select(PublishedRule).where(PublishedRule.workspace == workspace, PublishedRule.name == name)
    if version:
        found = found.where(PublishedRule.version == version)
    return session.scalars(found.order_by(PublishedRule.version.desc()).limit(1)).first()


def rules_after(session: Session, workspace: str, name: str, version: int, limit: int) -> Sequence[PublishedRule]:
    """Returns at most `limit` rules after the given one, ordered by name and version."""
    key = tuple_(PublishedRule.name, PublishedRule.version)
    page = select(PublishedRule).where(PublishedRule.workspace == workspace, key > (name, version))
    return session.scalars(page.order_by(PublishedRule.name, PublishedRule.version).limit(limit)).all()


def get_rule(database: Database, workspace: str, name: str, version: int) -> PublishedRule:
    """Returns a version of a rule. Raises NotFound if it is not published."""
    with database.reading() as session:
        rule = find_rule(session, workspace, name, version)
    if rule is None:
        raise NotFound(f"no rule {name}@{version} is published", reason="UNKNOWN_RULE", rule=name)
    return rule


def find_proposal(session: Session, workspace: str, number: int) -> Proposal | None:
    return session.scalars(select(Proposal).where(Proposal.workspace == workspace, Proposal.id == number)).first()


def open_proposal(session: Session, workspace: str, text: str, author: str) -> Proposal | None:
    """Returns the undecided proposal of that text by that author, if there is one."""
    same = (Proposal.workspace == workspace, Proposal.state == OPEN, Proposal.text == text, Proposal.author == author)
    return session.scalars(select(Proposal).where(*same)).first()


def proposals_before(
    session: Session, workspace: str, state: str | None, before: int, limit: int
) -> Sequence[Proposal]:
    """Returns at most `limit` proposals with numbers below `before` (0: all), newest first."""
    page = select(Proposal).where(Proposal.workspace == workspace)
    if state is not None:
        page = page.where(Proposal.state == state)
    if before:
        page = page.where(Proposal.id < before)
    return session.scalars(page.order_by(Proposal.id.desc()).limit(limit)).all()


def decide_proposal(session: Session, number: int, state: str, by: str, note: str, at_ms: int) -> bool:
    """Decides an open proposal; returns False if it was decided before."""
    decided = {"state": state, "decided_by": by, "decision_note": note, "decided_at_ms": at_ms}
    settled = session.execute(
        update(Proposal).where(Proposal.id == number, Proposal.state == OPEN).values(**decided).returning(Proposal.id)
    )
    return settled.first() is not None


def drafts_after(session: Session, workspace: str, name: str, limit: int) -> Sequence[Draft]:
    """Returns at most `limit` drafts after the given name, ordered by name."""
    page = select(Draft).where(Draft.workspace == workspace, Draft.name > name)
    return session.scalars(page.order_by(Draft.name).limit(limit)).all()
