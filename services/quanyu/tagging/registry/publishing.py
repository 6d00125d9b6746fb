"""Publishes all rules of a text or none; the same text again changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quanyu.dsl import BoundRules, format_rule
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.engine import Limits
from quanyu.runtime.errors import Conflict, InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.database import Database
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.registry.checks import check_countable
from quanyu.tagging.storage.store import find_rule
from quanyu.tagging.storage.tables import LONGEST_NAME, PublishedRule
from quanyu.tagging.workspace import Workspace


def _write_nothing(_session: Session) -> None:
    pass


def publish(
    database: Database,
    workspace: Workspace,
    text: str,
    author: str,
    limits: Limits | None = None,
    also: Callable[[Session], None] = _write_nothing,
) -> list[PublishedRule]:
    """Publishes the rules of a text; returns their rows in the order of the text, new or already stored.

    `also` writes in the same transaction; if it raises, nothing is published. Raises InvalidInput if the text is wrong
    or cannot be evaluated, and Conflict if another process publishes one of the versions at the same time.
    """
    with workspace.publishing:
        evaluation = workspace.evaluation_at(now_ms(), limits=limits)
        bound = evaluation.bind(text)
        drafted = evaluation.with_draft(bound)
        rules = rules_to_publish(workspace.name, bound, author)
        check_countable(drafted, workspace.index, bound)
        try:
            with database.writing() as session:
                for at, rule in enumerate(rules):
                    published = find_rule(session, rule.workspace, rule.name, rule.version)
                    if published is None:
                        session.add(rule)
                    else:
                        rules[at] = published
                also(session)
        except IntegrityError as error:
            raise Conflict(
                "another process has just published one of these versions; see ListRules and publish again",
                reason="VERSION_TAKEN",
            ) from error
        workspace.replace_library(drafted.library)
        return rules


def rules_to_publish(workspace: str, bound: BoundRules, author: str) -> list[PublishedRule]:
    """Returns the rows of a text's rules. Raises InvalidInput if it has no rule, or a name that is too long."""
    if bound.condition is not None:
        raise InvalidInput(
            "a condition alone has no name to publish it under: write `segment <name>: <condition>`",
            reason="RULE_WITHOUT_NAME",
        )
    if not bound.statements:
        raise InvalidInput(
            "the text has no rule to publish: write a `define`, `metric`, `segment` or `tag`", reason="RULE_EMPTY"
        )
    published_at_ms = now_ms()
    rows = []
    for statement in (statement for statement in bound.statements if isinstance(statement, Rule)):
        name, version = rule_key(statement)
        if len(name) > LONGEST_NAME:
            raise InvalidInput(
                f"the name {name[:40]}... is too long; use at most {LONGEST_NAME} characters", reason="RULE_NAME"
            )
        rows.append(
            PublishedRule(
                workspace=workspace,
                name=name,
                version=version,
                kind=kind_of(statement),
                text=format_rule(statement),
                author=author,
                published_at_ms=published_at_ms,
            )
        )
    return rows
