"""The published rules of a workspace. They are immutable, named and versioned."""

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
    """Rules by name and version: a library, or a library with the drafts of a text."""

    def names(self) -> Iterable[str]: ...

    def kind(self, name: str) -> type[s.Node] | None:
        """Returns Define, Metric, Segment or Tag, or None if the rule does not exist."""

    def newest(self, name: str) -> int: ...

    def get(self, name: str, version: int) -> Rule | None:
        """Returns the bound statement, or None if the version does not exist."""


@dataclass(frozen=True)
class Library:
    """Bound statements by (name, version). A library is immutable; `publish` returns a new one."""

    rules: Mapping[tuple[str, int], Rule] = field(default_factory=dict)

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Library:
        """Builds a library from canonical texts (`format_rule` of bound statements) in any order, without checks."""
        statements = [statement for text in texts for statement in parse(text).statements]
        return cls({rule_key(rule): rule for rule in statements if isinstance(rule, Rule)})

    def publish(self, bound: s.Script | BoundRules) -> Library:
        """Returns a library that also contains these bound statements. Raises RuleError if a version is taken."""
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
        """Returns the highest version, or 0 if the rule does not exist."""
        return rule_key(self._newest[name])[1] if name in self._newest else 0

    def newest_of(self, kind: type[s.Node]) -> list[tuple[str, int]]:
        """Returns the name and newest version of every rule of a kind, sorted by name."""
        return [(name, self.newest(name)) for name in sorted(self.names()) if self.kind(name) is kind]

    def get(self, name: str, version: int) -> Rule | None:
        return self.rules.get((name, version))


@dataclass(frozen=True)
class BoundRules:
    """A checked text with every name bound to a version (V2): either statements or a single condition.

    `versions` are all rules and scores that it uses directly or indirectly, such as `touch@2`. `tests` are separate
    from the statements: they are run, not published.
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
    """Returns the name and version of a rule. A rule without a version is version 1 (V1)."""
    return rule.ref.name, rule.ref.version or 1


def version_taken_error(rule: Rule, newest: int) -> RuleError:
    """Returns the error for a version that already exists, with the next free version as suggestion."""
    name, version = rule_key(rule)
    word = RULE_KIND_NAMES[type(rule)]
    return RuleError.at(
        rule.ref.span,
        "version",
        f"{word} {name}@{version} is already declared and cannot change",
        f"{name}@{newest + 1}",
    )
