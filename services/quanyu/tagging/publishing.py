"""Publishing: all rules of a text, or none; the same text again changes nothing."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from quanyu.dsl import Bound, format_rule
from quanyu.dsl.library import RULE_WORDS, Rule, key
from quanyu.engine import Limits
from quanyu.runtime.db import Database
from quanyu.runtime.errors import Conflict, InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.tagging.domain import try_out
from quanyu.tagging.store import find_rule
from quanyu.tagging.tables import LONGEST_NAME, PublishedRule
from quanyu.tagging.workspace import Workspace

KINDS = {"definition": "define"}


def publish(
    database: Database, workspace: Workspace, text: str, author: str, limits: Limits | None = None
) -> list[PublishedRule]:
    """The published versions, in the order of the text: new ones, and those that were there already."""
    with workspace.publishing:
        reading = workspace.reading(now_ms(), limits=limits)
        bound = reading.bind(text)
        drafted = reading.drafted(bound)
        rules = _rows(workspace.name, bound, author)
        try_out(drafted, workspace.index, bound)
        try:
            with database.writing() as session:
                for at, rule in enumerate(rules):
                    published = find_rule(session, rule.workspace, rule.name, rule.version)
                    if published is None:
                        session.add(rule)
                    else:
                        rules[at] = published
        except IntegrityError as error:
            raise Conflict(
                "another process published one of these versions just now; list the rules", reason="VERSION_TAKEN"
            ) from error
        workspace.renew(drafted.library)
        return rules


def _rows(workspace: str, bound: Bound, author: str) -> list[PublishedRule]:
    if bound.condition is not None:
        raise InvalidInput(
            "a lone condition has no name to be published under: write `segment <name>: <condition>`",
            reason="RULE_WITHOUT_NAME",
        )
    if not bound.statements:
        raise InvalidInput(
            "there is no rule to publish: give a `define`, `metric`, `segment` or `tag`", reason="RULE_EMPTY"
        )
    published_at_ms = now_ms()
    rows = []
    for statement in (statement for statement in bound.statements if isinstance(statement, Rule)):
        name, version = key(statement)
        if len(name) > LONGEST_NAME:
            raise InvalidInput(f"the name {name[:40]}... is longer than {LONGEST_NAME} characters", reason="RULE_NAME")
        word = RULE_WORDS[type(statement)]
        rows.append(
            PublishedRule(
                workspace=workspace,
                name=name,
                version=version,
                kind=KINDS.get(word, word),
                text=format_rule(statement),
                author=author,
                published_at_ms=published_at_ms,
            )
        )
    return rows
