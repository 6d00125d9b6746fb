"""The published rules of a workspace: immutable, named, versioned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.parsing.parser import parse

Rule = s.Define | s.Metric | s.Segment | s.Tag
RULE_KIND_NAMES: dict[type[s.Node], str] = {
    s.Define: "definition",
    s.Metric: "metric",
    s.Segment: "segment",
    s.Tag: "tag",
}


class Rules(Protocol):
    """Rules by name and version: a library, or one with the statements of a text being checked."""

    def names(self) -> Iterable[str]: ...

    def kind(self, name: str) -> type[s.Node] | None:
        """Define, Metric, Segment or Tag; None if there is no such rule."""

    def newest(self, name: str) -> int: ...

    def get(self, name: str, version: int) -> Rule | None:
        """The bound statement."""


@dataclass(frozen=True)
class Library:
    """Bound statements by (name, version). Nothing in it ever changes; `publish` gives a new one."""

    rules: Mapping[tuple[str, int], Rule] = field(default_factory=dict)

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Library:
        """Published again from canonical texts (`format_rule` of bound statements), in any order, without checking."""
        statements = [statement for text in texts for statement in parse(text).statements]
        return cls({rule_key(rule): rule for rule in statements if isinstance(rule, Rule)})

    def publish(self, bound: s.Script | BoundRules) -> Library:
        """A library that also holds these bound statements. What it already holds stays as it is."""
        script = bound.script if isinstance(bound, BoundRules) else bound
        statements = script.statements if script else ()
        added = {rule_key(rule): rule for rule in statements if isinstance(rule, Rule)}
        for name_version, rule in added.items():
            if self.rules.get(name_version, rule) != rule:
                raise version_taken_error(rule, self.newest(rule.ref.name))
        return Library({**self.rules, **added})

    @cached_property
    def _newest(self) -> dict[str, Rule]:
        return {name: self.rules[name, version] for name, version in sorted(self.rules)}

    def names(self) -> Iterable[str]:
        return self._newest

    def kind(self, name: str) -> type[s.Node] | None:
        return type(self._newest[name]) if name in self._newest else None

    def newest(self, name: str) -> int:
        """The highest version, 0 if there is none."""
        return rule_key(self._newest[name])[1] if name in self._newest else 0

    def newest_of(self, kind: type[s.Node]) -> list[tuple[str, int]]:
        """Name and newest version of every rule of a kind, by name."""
        return [(name, self.newest(name)) for name in sorted(self.names()) if self.kind(name) is kind]

    def get(self, name: str, version: int) -> Rule | None:
        return self.rules.get((name, version))


@dataclass(frozen=True)
class BoundRules:
    """A checked text with every name bound to a version (V2): either statements or a lone condition.

    `versions`: every rule and score that it rests on, all the way down, such as `touch@2`. `tests` stand apart from
    the statements: they are run, never published.
    """

    text: str
    script: s.Script | None
    condition: s.Cond | None
    versions: tuple[str, ...]
    tests: tuple[s.Test, ...] = ()

    @property
    def statements(self) -> tuple[s.Statement, ...]:
        return self.script.statements if self.script else ()


def rule_key(rule: Rule) -> tuple[str, int]:
    """Name and version; without a version it is the first (V1)."""
    return rule.ref.name, rule.ref.version or 1


def version_taken_error(rule: Rule, newest: int) -> RuleError:
    name, version = rule_key(rule)
    word = RULE_KIND_NAMES[type(rule)]
    return RuleError.at(
        rule.ref.span,
        "version",
        f"{word} {name}@{version} is already declared and never changes",
        f"{name}@{newest + 1}",
    )
