"""Resolves names (N1-N14): values of a person, properties inside `where`, sets of events and segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import (
    Scope,
    StepScope,
    bind_events,
    bind_version,
    event_types,
    event_types_with,
    is_event_name,
    is_value_of_person,
    unknown_name_error,
    with_name,
)
from quanyu.dsl.errors import RuleError
from quanyu.dsl.model.catalog import BUILT_IN, Field


@dataclass(frozen=True)
class Attribute:
    field: Field
    key: str | None = None


@dataclass(frozen=True)
class Channels:
    """The set of channels in which the person was seen (N6)."""


@dataclass(frozen=True)
class Seen:
    first: bool


@dataclass(frozen=True)
class Recency:
    events: s.Ref
    first: bool


@dataclass(frozen=True)
class RuleValue:
    """The value of a metric or a tag."""

    ref: s.Ref


@dataclass(frozen=True)
class EventChannel:
    pass


@dataclass(frozen=True)
class Property:
    """A property of the step's event. Further keys lead through goods or places."""

    keys: tuple[str, ...]


OfPerson = Attribute | Channels | Seen | Recency | RuleValue
Meaning = OfPerson | EventChannel | Property


def resolve(path: s.Path, scope: Scope) -> tuple[s.Path, Meaning]:
    """Returns the path with declared names and bound versions, and its meaning.

    Raises RuleError (reason "name") if the path has no meaning.
    """
    name = scope.catalog.canonical(path.ref.name)
    if name == "person" and path.keys:
        return _explicitly_of_person(path, scope)
    if scope.step is not None:
        found = _in_step(path, name, scope, scope.step)
        if found is not None:
            return found
    return _of_person(path, name, scope)


def _explicitly_of_person(path: s.Path, scope: Scope) -> tuple[s.Path, Meaning]:
    first, *rest = path.keys
    if isinstance(first, s.Text):
        raise RuleError.at(first.span, "name", "write a name after `person`", f"person.{first.value}")
    inner = s.Path(s.Ref(first.name, span=first.span), tuple(rest), span=path.span)
    bound, meaning = _of_person(inner, scope.catalog.canonical(first.name), scope)
    if bound.ref.version is not None and not (scope.step and _properties(scope.step, bound.ref.name, scope)):
        return bound, meaning
    return replace(path, keys=(s.Key(bound.ref.name, span=first.span), *bound.keys)), meaning


def _in_step(path: s.Path, name: str, scope: Scope, step: StepScope) -> tuple[s.Path, Meaning] | None:
    if name == "channel" and not path.keys:
        return replace(path, ref=with_name(path.ref, name)), EventChannel()
    if name == step.name and path.keys:  # the step's own name before the property (N5)
        keys = property_keys(path.keys, step.types, scope)
        if keys == ("channel",):
            return s.Path(s.Ref("channel"), span=path.span), EventChannel()
        return replace(path, ref=with_name(path.ref, name), keys=_keys(path.keys, keys)), Property(keys)
    declaring = _properties(step, path.ref.name, scope)
    is_person_value = is_value_of_person(name, scope)
    if declaring == len(step.types) or (declaring and not is_person_value):
        if is_person_value:
            raise RuleError.at(
                path.span,
                "name",
                f"`{name}` is both a property of {step.name} and a value of the person",
                f"{step.name}.{name}",
                f"person.{name}",
            )
        head = s.Key(path.ref.name, span=path.ref.span)
        keys = property_keys((head, *path.keys), step.types, scope)
        return s.Path(with_name(path.ref, keys[0]), _keys(path.keys, keys[1:]), span=path.span), Property(keys)
    if path.keys and is_event_name(name, scope):
        raise RuleError.at(
            path.span, "name", f"`{path.ref.name}` is another event: a `where` is about one {step.name} only (N5)"
        )
    return None


def _properties(step: StepScope, name: str, scope: Scope) -> int:
    """Returns how many of the step's event types have the property."""
    return sum(
        scope.catalog.find_property(scope.catalog.event_types[t].properties, name) is not None for t in step.types
    )


def _keys(written: Sequence[s.Key | s.Text], names: Sequence[str]) -> tuple[s.Key, ...]:
    return tuple(s.Key(name, span=key.span) for key, name in zip(written, names, strict=True))


def property_keys(keys: Sequence[s.Key | s.Text], types: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """Returns the declared names of a property path that all the event types have (A10)."""
    head = keys[0].name if isinstance(keys[0], s.Key) else keys[0].value
    if head == "channel" and len(keys) == 1:
        return ("channel",)
    lacking = [t for t in types if scope.catalog.find_property(scope.catalog.event_types[t].properties, head) is None]
    if lacking:
        known = set.intersection(*(property_names(t, scope) for t in types))
        raise unknown_name_error(
            keys[0].span, f"{' and '.join(lacking)} declares no property `{head}`", head, lambda: known
        )
    canonical = {tuple(name for name, _ in property_fields(keys, t, scope)) for t in types}
    return canonical.pop() if len(canonical) == 1 else tuple(k.name if isinstance(k, s.Key) else k.value for k in keys)


def common_property(
    path: s.Path, events: Iterable[s.Ref], scope: Scope
) -> tuple[s.Path, tuple[str, ...], tuple[str, ...]]:
    """Resolves the path of `by`. Returns the path, its keys and the event types, which all have it (A10)."""
    types = tuple(dict.fromkeys(t for ref in events for t in event_types(ref, scope)))
    ref, name = path.ref, scope.catalog.canonical(path.ref.name)
    if not _properties(StepScope("", types), ref.name, scope):
        if path.keys and is_event_name(name, scope):
            own = ".".join(key.name if isinstance(key, s.Key) else key.value for key in path.keys)
            message = "`by` is about every event of the sequence, so write the property without an event"
            raise RuleError.at(path.span, "name", message, own)
        if name == "person" or is_value_of_person(name, scope):
            message = "a value of the person is the same in all events: `by` takes a property of the events (Q7)"
            raise RuleError.at(path.span, "scope", message)
    if ref.version is not None:
        raise RuleError.at(
            ref.span, "version", f"`{ref.name}` is a property, and properties have no versions", ref.name
        )
    keys = property_keys((s.Key(ref.name, span=ref.span), *path.keys), types, scope)
    bound = s.Path(with_name(ref, keys[0]), _keys(path.keys, keys[1:]), span=path.span)
    return bound, keys, types


def property_fields(keys: Sequence[s.Key | s.Text], event_type: str, scope: Scope) -> list[tuple[str, Field]]:
    """Returns the declared name and field of each key: first a property of the event, then of the referenced items."""
    fields = scope.catalog.event_types[event_type].properties
    owner, found = event_type, list[tuple[str, Field]]()
    for key in keys:
        name = key.name if isinstance(key, s.Key) else key.value
        if found:
            owner = found[-1][1].reference
            if owner not in scope.catalog.catalogs:
                message = f"`{found[-1][0]}` does not refer to goods or places, so it has no `{name}`"
                raise RuleError.at(key.span, "name", message)
            fields = scope.catalog.catalogs[owner].attributes
        declared = scope.catalog.find_property(fields, name)
        if declared is None:
            raise unknown_name_error(key.span, f"{owner} has no `{name}`", name, fields.keys)
        is_by_name = name == declared.name or name in declared.aliases
        found.append((declared.name if is_by_name else declared.reference, declared))
    return found


def property_names(event_type: str, scope: Scope) -> set[str]:
    fields = scope.catalog.event_types[event_type].properties.values()
    return {f.name for f in fields} | {f.reference for f in fields if f.reference}


def _of_person(path: s.Path, name: str, scope: Scope) -> tuple[s.Path, OfPerson]:
    ref = path.ref
    bare = s.Path(with_name(ref, name), path.keys, span=path.span)
    if name == "channel" and not path.keys:
        return bare, Channels()
    if name in ("first_seen", "last_seen") and not path.keys:
        return bare, Seen(name == "first_seen")
    attribute = scope.catalog.find_attribute(name, ref.version)
    newest = scope.catalog.find_attribute(name, None)
    if attribute is None and ref.version is not None and newest is not None and newest.name.startswith(f"{name}@"):
        raise RuleError.at(ref.span, "version", f"there is no {name}@{ref.version}", newest.name)
    if attribute is not None:
        return _attribute(bare, attribute)
    if scope.rules.kind(name) in (s.Metric, s.Tag):
        _reject_keys(path, f"`{name}` is a single value")
        bound = bind_version(with_name(ref, name), scope)
        return s.Path(bound, span=path.span), RuleValue(bound)
    recency = None if path.keys else _recency(ref, name, scope)
    if recency is not None:
        first = name.startswith("first_")
        stem = replace(with_name(ref, ("first_" if first else "last_") + recency.name), version=recency.version)
        return s.Path(stem, span=path.span), Recency(recency, first)
    raise _no_value(path, name, scope)


def _attribute(path: s.Path, declared: Field) -> tuple[s.Path, Attribute]:
    name, _, version = declared.name.partition("@")
    path = replace(path, ref=replace(path.ref, name=name, version=int(version) if version else None))
    if not path.keys:
        return path, Attribute(declared)
    if declared.kind != "map" or len(path.keys) > 1:
        _reject_keys(path, f"`{name}` is {'a map of values' if declared.kind == 'map' else 'a single value'}")
    key = path.keys[0]
    return path, Attribute(declared, key.name if isinstance(key, s.Key) else key.value)


def _reject_keys(path: s.Path, what: str) -> None:
    if path.keys:
        raise RuleError.at(path.keys[-1].span, "name", f"{what}: nothing can follow it")


def _recency(ref: s.Ref, name: str, scope: Scope) -> s.Ref | None:
    prefix, _, stem = name.partition("_")
    stem = scope.catalog.canonical(stem)
    if prefix not in ("last", "first") or not is_event_name(stem, scope):
        return None
    return bind_events(s.Ref(stem, ref.version, span=ref.span), scope)


def _no_value(path: s.Path, name: str, scope: Scope) -> RuleError:
    span, kind = path.span, scope.rules.kind(name)
    if kind is s.Segment:
        return RuleError.at(span, "name", f"`{name}` is a segment, not a value", f"in segment {name}")
    if is_event_name(name, scope):
        if path.keys:
            key = path.keys[-1]
            return RuleError.at(
                span,
                "scope",
                "use a property only inside `where` or an aggregate (N4)",
                f"did {name} where ({key.name if isinstance(key, s.Key) else key.value} ...)",
            )
        message = f"`{name}` is a set of events, not a value: count them, or ask how long ago the last was"
        return RuleError.at(span, "name", message, f"count({name})", f"last_{name}")
    if scope.step is not None and (others := event_types_with(path.ref.name, scope)):
        message = (
            f"{scope.step.name} has no `{path.ref.name}`: it is a property of {' and '.join(others)}, "
            "and a `where` is about one event (N5)"
        )
        return RuleError.at(path.ref.span, "name", message)
    return unknown_name_error(path.ref.span, f"nothing is called `{path.ref.name}`", name, lambda: value_names(scope))


def value_names(scope: Scope) -> set[str]:
    """Returns the names of all values in this scope."""
    rules = {n for n in scope.rules.names() if scope.rules.kind(n) in (s.Metric, s.Tag)}
    events = [*scope.catalog.event_types, *(n for n in scope.rules.names() if scope.rules.kind(n) is s.Define)]
    recencies = {f"{word}_{name}" for name in events for word in ("last", "first")}
    attributes = {name.partition("@")[0] for name in scope.catalog.attributes}
    properties = {p for t in (scope.step.types if scope.step else ()) for p in property_names(t, scope)}
    aliases = {alias for field in scope.catalog.attributes.values() for alias in field.aliases}
    return rules | recencies | attributes | aliases | properties | (set(BUILT_IN) - {"person"})


def is_events(path: s.Path, scope: Scope) -> bool:
    """Returns whether the path is the bare name of an event type or a definition."""
    return not path.keys and is_event_name(scope.catalog.canonical(path.ref.name), scope)


def reject_bare_property(ref: s.Ref, scope: Scope) -> None:
    """Rejects a property without its event, as in `sum(amount)`."""
    name = scope.catalog.canonical(ref.name)
    owners = event_types_with(ref.name, scope)
    if owners and not is_event_name(name, scope) and scope.rules.kind(name) is None:
        message = f"`{ref.name}` is a property: write its event before it"
        raise RuleError.at(ref.span, "name", message, *(f"{owner}.{ref.name}" for owner in owners[:3]))


def is_outside_person(path: s.Path, scope: Scope) -> bool:
    """Returns whether the name means neither a value of a person nor a segment. It does not bind any rule."""
    name = scope.catalog.canonical(path.ref.name)
    prefix, _, stem = name.partition("_")
    is_recency = prefix in ("last", "first") and is_event_name(scope.catalog.canonical(stem), scope)
    return not (
        is_recency or name in BUILT_IN or is_value_of_person(name, scope) or scope.rules.kind(name) is s.Segment
    )


def is_value_name(path: s.Path, scope: Scope) -> bool:
    try:
        resolve(path, scope)
    except RuleError:
        return False
    return True
