"""Describes the differences between two versions of a rule: one sentence for each changed clause."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import versions_of
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import RULE_KIND_NAMES, Library, Rule

# With more pairs of clauses than this, changed clauses are described as removed and added.
_COMPARED = 10_000
_CHAINS = (s.AllOf, s.AnyOf)


def describe_differences(
    old: Rule, new: Rule, old_library: Library, new_library: Library, catalog: Catalog
) -> list[str]:
    """Returns sentences about the changes between two bound rules of the same kind; none if their meaning is the same.

    The order of clauses joined by `and` or `or`, of list items and of the steps of a definition does not matter.
    Each library contains the dependencies of its rule; changes in dependencies come last.
    """
    sentences = _of_rule(old, new)
    for name, before, after in _renewed(old, new, old_library, new_library, catalog):
        was, now = old_library.get(name, before), new_library.get(name, after)
        if was is not None and now is not None:
            changes = "; ".join(_of_rule(was, now)) or "it means the same"
            sentences.append(f"{RULE_KIND_NAMES[type(now)]} {name}@{after} is used, was {name}@{before}: {changes}")
    return sentences


def _of_rule(old: Rule, new: Rule) -> list[str]:
    match old, new:
        case s.Define(), s.Define():
            return _parts(old.steps, new.steps)
        case s.Metric(), s.Metric():
            return _changed(old.expr, new.expr)
        case s.Segment(), s.Segment():
            return _population(old.among, new.among) + _conditions(old.cond, new.cond)
        case s.Tag(), s.Tag():
            return _tiers(old, new)
    raise TypeError(f"{RULE_KIND_NAMES[type(old)]} {old.ref.name} is compared with a {RULE_KIND_NAMES[type(new)]}")


def _population(old: s.Ref | None, new: s.Ref | None) -> list[str]:
    if old == new:
        return []
    before, after = (f"among {_label(ref)}" if ref else "among everybody" for ref in (old, new))
    return [f"changed from {before} to {after}"]


def _conditions(old: s.Cond, new: s.Cond) -> list[str]:
    words = _parts(_clauses(old), _clauses(new))
    if isinstance(old, _CHAINS) and isinstance(new, _CHAINS) and type(old) is not type(new):
        meaning = "one of the clauses is enough" if isinstance(new, s.AnyOf) else "all clauses must hold"
        return [f"changed how clauses are joined: {meaning}", *words]
    return words


def _clauses(cond: s.Cond) -> Sequence[s.Cond]:
    return cond.operands if isinstance(cond, _CHAINS) else (cond,)


def _tiers(old: s.Tag, new: s.Tag) -> list[str]:
    before, after = _by_value(old), _by_value(new)
    sentences = [f"removed: {text}" for value, (text, _) in before.items() if value not in after]
    sentences += [f"added: {text}" for value, (text, _) in after.items() if value not in before]
    kept = [value for value in before if value in after]
    for value in kept:
        words = _conditions(before[value][1].cond, after[value][1].cond)
        sentences += [f"{value[0]}: {sentence}" for sentence in words]
    order = [value[0] for value in after if value in before]
    if kept != [value for value in after if value in before]:
        sentences.append(f"changed the order in which values are tried: {', '.join(order)}")
    if old.otherwise != new.otherwise:
        ends = (f"else {format_rule(value)}" if value else "no else" for value in (old.otherwise, new.otherwise))
        sentences.append("changed from {} to {}".format(*ends))
    return sentences


def _by_value(tag: s.Tag) -> dict[tuple[str, int], tuple[str, s.Tier]]:
    """Returns each tier with its text, by its value and its number among the tiers with that value."""
    seen: Counter[str] = Counter()
    found = {}
    for tier in tag.tiers:
        value = format_rule(tier.value)
        seen[value] += 1
        found[value, seen[value]] = (f"{value} when {format_rule(tier.cond)}", tier)
    return found


def _parts(old: Sequence[s.Node], new: Sequence[s.Node]) -> list[str]:
    """Describes the changed, removed and added clauses or steps, in any order."""
    before, after = Counter(map(_text, old)), Counter(map(_text, new))
    gone, come = list((before - after).elements()), list((after - before).elements())
    subjects = {_text(part): _subject(part) for part in (*old, *new)}
    changed = []
    for was in list(gone) if len(gone) * len(come) <= _COMPARED else []:
        like = [now for now in come if subjects[now] == subjects[was]]
        if like:
            now = max(like, key=lambda other: difflib.SequenceMatcher(None, was, other).ratio())
            gone.remove(was)
            come.remove(now)
            changed.append(f"changed from {was} to {now}")
    return [*changed, *(f"removed: {text}" for text in gone), *(f"added: {text}" for text in come)]


def _changed(old: s.Node, new: s.Node) -> list[str]:
    before, after = _text(old), _text(new)
    return [] if before == after else [f"changed from {before} to {after}"]


def _subject(node: s.Node) -> str:
    """Returns the first name in the node. Two clauses about the same name count as one changed clause."""
    return next((part.name for part in s.walk(node) if isinstance(part, s.Ref)), type(node).__name__)


def _text(node: s.Node) -> str:
    return format_rule(_sorted(node))


def _sorted(node: s.Node) -> s.Node:
    """Returns the node with all parts sorted whose order does not matter."""
    fields: dict[str, Any] = {name: _sorted_field(value) for name, value in s.get_fields(node).items()}
    same = replace(node, **fields)
    match same:
        case s.AllOf(operands=parts) | s.AnyOf(operands=parts):
            return replace(same, operands=tuple(sorted(parts, key=format_rule)))
        case s.InList() | s.NotInList() | s.HasAny() | s.HasAll() | s.HasNone():
            return replace(same, items=tuple(sorted(same.items, key=format_rule)))
    return same


def _sorted_field(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_sorted(item) if isinstance(item, s.Node) else item for item in value)
    return _sorted(value) if isinstance(value, s.Node) else value


def _label(ref: s.Ref) -> str:
    return f"{ref.name}@{ref.version}"


def _renewed(
    old: Rule, new: Rule, old_library: Library, new_library: Library, catalog: Catalog
) -> list[tuple[str, int, int]]:
    """Returns the common dependencies whose version differs: name, old version, new version."""
    before, after = _dependencies_of(old, old_library, catalog), _dependencies_of(new, new_library, catalog)
    names = sorted(before.keys() & after.keys())
    return [(name, before[name], after[name]) for name in names if before[name] != after[name]]


def _dependencies_of(rule: Rule, library: Library, catalog: Catalog) -> dict[str, int]:
    """Returns the newest used version of each direct or indirect dependency by name."""
    found: dict[str, int] = {}
    for label in versions_of([rule], catalog, library):
        name, _, version = label.partition("@")
        if name != rule.ref.name:
            found[name] = max(found.get(name, 0), int(version))
    return found
