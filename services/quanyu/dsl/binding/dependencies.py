"""Dependencies between published rules. Every published version names the versions that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from quanyu.dsl import syntax as s
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import (
    Library,
    Rule,
    Rules,
    rule_key,
)

Key = tuple[str, int]
N = TypeVar("N", bound=s.Node)


def dependencies_of(rule: Rule, catalog: Catalog, rules: Rules) -> list[Key]:
    """Returns the published rules that a bound rule uses directly, sorted by name and version."""
    named = {_rule_of(ref, catalog, rules) for ref in s.walk(rule) if isinstance(ref, s.Ref)}
    return sorted(found for found in named if found is not None and found != rule_key(rule))


def dependents_of(target: Key, catalog: Catalog, library: Library) -> dict[Key, bool]:
    """Returns every published version that uses `target`, and whether it uses it directly."""
    named_by: dict[Key, list[Key]] = {}
    for user, rule in library.rules.items():
        for used in dependencies_of(rule, catalog, library):
            named_by.setdefault(used, []).append(user)
    direct = named_by.get(target, [])
    found, todo = set(direct), list(direct)
    while todo:
        further = [user for user in named_by.get(todo.pop(), []) if user not in found]
        found.update(further)
        todo += further
    return {user: user in direct for user in sorted(found)}


def rebind(rule: Rule, versions: Mapping[str, int], catalog: Catalog, rules: Rules) -> Rule:
    """Returns the rule with the names in `versions` bound to those versions."""

    def with_version(ref: s.Ref) -> s.Ref:
        found = _rule_of(ref, catalog, rules)
        is_mapped = found is not None and found[0] in versions
        return replace(ref, version=versions[found[0]]) if is_mapped and found else ref

    return replace(_replace_refs(rule, with_version), ref=rule.ref)


def _rule_of(ref: s.Ref, catalog: Catalog, rules: Rules) -> Key | None:
    """Returns the published rule that a bound name refers to. A recency refers to its definition (V4)."""
    if ref.version is None:
        return None
    if rules.get(ref.name, ref.version) is not None:
        return ref.name, ref.version
    stem = ref.name.partition("_")[2]
    is_recency = catalog.find_attribute(ref.name, ref.version) is None and rules.get(stem, ref.version) is not None
    return (stem, ref.version) if is_recency else None


def _replace_refs(node: N, with_version: Any) -> N:
    """Returns the tree with every reference replaced."""
    return replace(node, **dict(_changed_fields(node, with_version)))


def _changed_fields(node: s.Node, with_version: Any) -> Iterator[tuple[str, Any]]:
    for name in (f.name for f in fields(node)):
        value = getattr(node, name)
        if isinstance(value, s.Ref):
            yield name, with_version(value)
        elif isinstance(value, tuple):
            yield name, tuple(_replace_refs(item, with_version) if isinstance(item, s.Node) else item for item in value)
        elif isinstance(value, s.Node):
            yield name, _replace_refs(value, with_version)
