"""Queries on the published rules."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from quanyu.runtime.db import Database
from quanyu.runtime.errors import NotFound
from quanyu.tagging.tables import PublishedRule


def all_rules(session: Session, workspace: str) -> Sequence[PublishedRule]:
    return session.scalars(select(PublishedRule).where(PublishedRule.workspace == workspace)).all()


def find_rule(session: Session, workspace: str, name: str, version: int) -> PublishedRule | None:
    """That version, or the newest where `version` is 0."""
    found = select(PublishedRule).where(PublishedRule.workspace == workspace, PublishedRule.name == name)
    if version:
        found = found.where(PublishedRule.version == version)
    return session.scalars(found.order_by(PublishedRule.version.desc()).limit(1)).first()


def rules_after(session: Session, workspace: str, name: str, version: int, limit: int) -> Sequence[PublishedRule]:
    """At most `limit` rules in the order of name and version, after the given one."""
    key = tuple_(PublishedRule.name, PublishedRule.version)
    page = select(PublishedRule).where(PublishedRule.workspace == workspace, key > (name, version))
    return session.scalars(page.order_by(PublishedRule.name, PublishedRule.version).limit(limit)).all()


def published(database: Database, workspace: str, name: str, version: int) -> PublishedRule:
    """NotFound if there is no such version."""
    with database.reading() as session:
        rule = find_rule(session, workspace, name, version)
    if rule is None:
        raise NotFound(f"no rule {name}@{version} is published", reason="UNKNOWN_RULE", rule=name)
    return rule
