"""Scopes, and the references to event types and rules that are bound in them (N1-N14, V2)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import needs_backquotes
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import RULE_KIND_NAMES, Rules
from quanyu.dsl.model.types import nfkc


@dataclass(frozen=True)
class StepScope:
    """The events that a `where` filters: the step's name and its event types."""

    name: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """The context in which names are resolved. `rule` is the name of the enclosing segment or tag (S2)."""

    catalog: Catalog
    rules: Rules
    step: StepScope | None = None
    rule: str | None = None
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def for_events(self, ref: s.Ref) -> Scope:
        """Returns the scope inside the `where` of these events."""
        return replace(self, step=StepScope(ref.name, event_types(ref, self)))

    def for_person(self) -> Scope:
        """Returns the scope of a person, in which every metric is evaluated."""
        return replace(self, step=None, rule=None)


def event_types(ref: s.Ref, scope: Scope) -> tuple[str, ...]:
    """Returns the distinct event types of a bound event type or definition."""
    if ref.name in scope.catalog.event_types:
        return (ref.name,)
    rule = scope.rules.get(ref.name, ref.version or scope.rules.newest(ref.name))
    if not isinstance(rule, s.Define):
        raise RuleError.at(ref.span, "name", f"{_describe(ref.name, scope)}: write an event or a definition here")
    key = ("events", rule.ref)  # cached, because definitions share definitions
    if key not in scope.memo:
        scope.memo[key] = tuple(dict.fromkeys(t for step in rule.steps for t in event_types(step.ref, scope)))
    found: tuple[str, ...] = scope.memo[key]
    return found


def bind_version(ref: s.Ref, scope: Scope) -> s.Ref:
    """Returns the reference with its written version, or else with the newest one (V2)."""
    newest = scope.rules.newest(ref.name)
    version = ref.version or newest
    if scope.rules.get(ref.name, version) is None:
        raise RuleError.at(
            ref.span, "version", f"there is no {ref.name}@{version}", *([f"{ref.name}@{newest}"] if newest else [])
        )
    return replace(ref, version=version)


def bind_events(ref: s.Ref, scope: Scope) -> s.Ref:
    """Binds a reference to an event type, or to a definition with its version."""
    name = scope.catalog.canonical(ref.name)
    if name in scope.catalog.event_types:
        if ref.version is not None:
            raise RuleError.at(ref.span, "version", f"the event type {name} has no versions", name)
        return with_name(ref, name)
    if scope.rules.kind(name) is s.Define:
        return bind_version(with_name(ref, name), scope)
    known = {*scope.catalog.event_types, *(n for n in scope.rules.names() if scope.rules.kind(n) is s.Define)}
    known |= {alias for event in scope.catalog.event_types.values() for alias in event.aliases}
    message = f"{_describe(name, scope)}: write an event or a definition here"
    raise RuleError(message, ref.span.line, ref.span.column, "name", lambda: nearest(name, known) or sorted(known)[:3])


def bind_segment(ref: s.Ref, scope: Scope) -> s.Ref:
    """Binds a reference to a segment with its version."""
    if scope.rules.kind(ref.name) is s.Segment:
        return bind_version(ref, scope)
    known = {name for name in scope.rules.names() if scope.rules.kind(name) is s.Segment}
    raise unknown_name_error(ref.span, f"{_describe(ref.name, scope)}: write a segment here", ref.name, lambda: known)


def _describe(name: str, scope: Scope) -> str:
    kind = scope.rules.kind(name)
    if kind is not None:
        return f"`{name}` is a {RULE_KIND_NAMES[kind]}"
    if name in scope.catalog.event_types:
        return f"`{name}` is an event type"
    return f"`{name}` is an attribute" if name in scope.catalog.attributes else f"nothing is called `{name}`"


def with_name(ref: s.Ref, name: str) -> s.Ref:
    """Returns the reference with its declared name, as the parser reads it from canonical text."""
    return replace(ref, name=name, quoted=ref.quoted or needs_backquotes(name))


def is_event_name(name: str, scope: Scope) -> bool:
    return name in scope.catalog.event_types or scope.rules.kind(name) is s.Define


def is_value_of_person(name: str, scope: Scope) -> bool:
    return scope.catalog.find_attribute(name, None) is not None or scope.rules.kind(name) in (s.Metric, s.Tag)


def event_types_with(name: str, scope: Scope) -> list[str]:
    """Returns the event types that have a property with this name."""
    types = scope.catalog.event_types.values()
    return [event.name for event in types if scope.catalog.find_property(event.properties, name) is not None]


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Returns at most three similar names, ignoring case. Chinese words are short and need less similarity."""
    folded: dict[str, str] = {}
    for other in sorted(known, reverse=True):
        folded[nfkc(other).casefold()] = other
    return [
        folded[near]
        for near in difflib.get_close_matches(nfkc(name).casefold(), sorted(folded), 3, 0.6 if name.isascii() else 0.5)
    ]


def unknown_name_error(span: s.Span, message: str, name: str, known: Callable[[], Iterable[str]]) -> RuleError:
    return RuleError(message, span.line, span.column, "name", lambda: nearest(name, known()))
