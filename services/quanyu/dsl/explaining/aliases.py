"""Translates the names in a tree: declared names for English, their Chinese aliases for Chinese."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import Language
from quanyu.dsl.model.catalog import Catalog, chinese_alias
from quanyu.dsl.model.library import Library, Rule, rule_key

_N = TypeVar("_N", bound=s.Node)


def translate_names(node: _N, scope: Scope, language: Language) -> _N:
    """Returns the tree with the names of a language. Every name keeps its meaning; unknown names stay unchanged.

    Versions and the names in tests stay unchanged too.
    """
    found: _N = _NameTranslator(language).node(node, scope)
    return found


def with_drafts(statements: Iterable[s.Statement], catalog: Catalog, library: Library) -> Library:
    """Returns the library with unchecked, unbound statements, so that names can be resolved in it."""
    rules = [translate_names(rule, Scope(catalog, library), "en") for rule in statements if isinstance(rule, Rule)]
    return Library({**library.rules, **{rule_key(rule): rule for rule in rules}})


class _NameTranslator:
    def __init__(self, language: Language) -> None:
        self._in_chinese = language == "zh"

    def node(self, node: Any, scope: Scope) -> Any:
        match node:
            case tuple():
                return tuple(self.node(item, scope) for item in node)
            case s.Test() | s.Setting():
                return node
            case s.Step():
                where = node.where and self.node(node.where, _inside(node.ref, scope))
                return replace(node, ref=self._events(node.ref, scope), where=where)
            case s.Aggregate():
                return self._aggregate(node, scope)
            case s.Sequence(by=s.Path() as by):
                steps = self.node(replace(node, by=None), scope)
                return replace(steps, by=self._common(by, node, scope))
            case s.Path():
                return self._path(node, scope)
            case s.Node():
                return replace(node, **{name: self.node(value, scope) for name, value in s.get_fields(node).items()})
        return node

    def _events(self, ref: s.Ref, scope: Scope) -> s.Ref:
        def candidates() -> Iterable[s.Ref]:
            name = references.bind_events(ref, scope).name
            declared = scope.catalog.event_types.get(name)
            yield from (replace(ref, name=n) for n in (self._alias(declared) if declared else "", name) if n)

        return _same(ref, candidates, lambda other: references.bind_events(other, scope))

    def _path(self, path: s.Path, scope: Scope) -> s.Path:
        def candidates() -> Iterable[s.Path]:
            bound, meaning = names.resolve(path, scope)
            declared = replace(bound, ref=replace(bound.ref, version=path.ref.version))
            if self._in_chinese:
                yield self._aliased(declared, meaning, scope)
            yield declared

        return _same(path, candidates, lambda other: names.resolve(other, scope))

    def _aliased(self, path: s.Path, meaning: names.Meaning, scope: Scope) -> s.Path:
        match meaning:
            case names.Property(keys=keys):
                assert scope.step is not None
                own = self._properties(keys, scope.step.types[0], scope)
                if len(path.keys) < len(keys):
                    return _with_names(path, own)
                step = scope.catalog.event_types.get(path.ref.name)
                return _with_names(path, [(step and self._alias(step)) or path.ref.name, *own])
            case names.Recency(events=events):
                prefix, _, _ = path.ref.name.partition("_")
                event = scope.catalog.event_types.get(events.name)
                return _with_names(path, [f"{prefix}_{(event and self._alias(event)) or events.name}"])
            case names.Attribute(field=field) if path.ref.name == "person":
                return _with_names(path, [path.ref.name, self._alias(field)])
            case names.Attribute(field=field):
                return _with_names(path, [self._alias(field)])
            case names.RuleValue():
                return path
        return _with_names(path, [scope.catalog.chinese_built_in_name(path.ref.name)])

    def _aggregate(self, node: s.Aggregate, scope: Scope) -> s.Aggregate:
        ref = node.path.ref
        inside = _inside(ref, scope.for_person())
        path = replace(node.path, ref=self._events(ref, scope), keys=self._keys(node.path.keys, inside))
        return replace(node, path=path, where=node.where and self.node(node.where, inside))

    def _common(self, by: s.Path, node: s.Sequence, scope: Scope) -> s.Path:
        written = [node.first.ref, *(item.step.ref for item in node.later_steps)]

        def resolve(path: s.Path) -> tuple[s.Path, tuple[str, ...], tuple[str, ...]]:
            return names.common_property(path, [references.bind_events(ref, scope) for ref in written], scope)

        def candidates() -> Iterable[s.Path]:
            declared, keys, types = resolve(by)
            if self._in_chinese:
                yield _with_names(declared, self._properties(keys, types[0], scope))
            yield declared

        return _same(by, candidates, resolve)

    def _keys(self, keys: tuple[s.Key | s.Text, ...], scope: Scope) -> tuple[s.Key | s.Text, ...]:
        """Translates the property path of an aggregate."""
        types = scope.step.types if scope.step else ()

        def candidates() -> Iterable[tuple[s.Key | s.Text, ...]]:
            declared = names.property_keys(keys, types, scope)
            if self._in_chinese:
                yield tuple(map(s.Key, self._properties(declared, types[0], scope)))
            yield tuple(map(s.Key, declared))

        if not (keys and types):
            return keys
        return _same(keys, candidates, lambda other: names.property_keys(other, types, scope))

    def _properties(self, keys: Iterable[str], event_type: str, scope: Scope) -> list[str]:
        """Returns a property path in Chinese as far as it has aliases."""
        if tuple(keys) == ("channel",):
            return ["channel"]
        fields = names.property_fields([s.Key(key) for key in keys], event_type, scope)
        return [self._alias(field if name == field.name else scope.catalog.catalogs[name]) for name, field in fields]

    def _alias(self, declared: Any) -> str:
        """Returns the Chinese alias if the language is Chinese and an alias exists, or else the name."""
        alias = chinese_alias(declared) if self._in_chinese else ""
        return alias or declared.name.partition("@")[0]


_T = TypeVar("_T")


def _same(written: _T, candidates: Callable[[], Iterable[_T]], meaning: Callable[[_T], Any]) -> _T:
    """Returns the first candidate with the meaning of what was written, or what was written if it has no meaning."""
    with suppress(RuleError, RecursionError):  # unchecked statements may form a cycle
        meant = meaning(written)
        for candidate in candidates():
            with suppress(RuleError):
                if meaning(candidate) == meant:
                    return candidate
    return written


def _inside(ref: s.Ref, scope: Scope) -> Scope:
    """Returns the scope of a `where` about these events, or the person's scope if the events are unknown."""
    with suppress(RuleError, RecursionError):
        return scope.for_events(references.bind_events(ref, scope))
    return replace(scope, step=None)


def _with_names(path: s.Path, written: Iterable[str]) -> s.Path:
    """Returns the path with its first names replaced by these."""
    first, *rest = written
    keys = tuple(s.Key(name) for name in rest) + path.keys[len(rest) :]
    return replace(path, ref=replace(path.ref, name=first), keys=keys)
