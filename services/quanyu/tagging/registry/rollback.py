"""Rolls back a rule: publishes an old version's text as the next version, since a version never changes."""

from __future__ import annotations

from dataclasses import replace

from quanyu.dsl import format_rule
from quanyu.engine import Limits
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.database import Database
from quanyu.tagging.preview.comparison import RuleChanges, VersionPair, compare_versions
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.storage.store import get_rule
from quanyu.tagging.storage.tables import PublishedRule
from quanyu.tagging.workspace import Workspace


def roll_back(
    database: Database, workspace: Workspace, name: str, version: int, author: str, limits: Limits | None = None
) -> tuple[PublishedRule, RuleChanges]:
    """Publishes the text of `version` as the newest version; returns it and how its members change.

    Publishes nothing if the newest version already has that text.
    """
    if not version:
        raise InvalidInput("to_version: give the version to roll back to", reason="NO_VERSION", field="to_version")
    evaluation = workspace.evaluation_at(now_ms(), limits=limits)
    old = evaluation.library.get(name, evaluation.resolve_version(name, version))
    newest = evaluation.library.newest(name)
    assert old is not None
    if replace(old, ref=replace(old.ref, version=newest)) == evaluation.library.get(name, newest):
        rule = get_rule(database, workspace.name, name, newest)
    else:
        text = format_rule(replace(old, ref=replace(old.ref, version=newest + 1)))
        (rule,) = publish(database, workspace, text, author, limits)
    evaluation = workspace.evaluation_at(now_ms(), limits=limits)
    return rule, compare_versions(evaluation, workspace.index, [VersionPair(name, newest, rule.version)])
