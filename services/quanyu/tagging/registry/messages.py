"""Converts published rules and their dependents to messages."""

from __future__ import annotations

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library
from quanyu.runtime.instants import timestamp
from quanyu.tagging.evaluation.context import kind_of
from quanyu.tagging.evaluation.messages import KINDS
from quanyu.tagging.storage.tables import PublishedRule


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
    """`user`: name and version of a rule of the library."""
    name, version = user
    kind = KINDS[kind_of(library.rules[user])]
    return pb.Dependent(name=name, version=version, kind=kind, direct=direct, newest=library.newest(name) == version)
