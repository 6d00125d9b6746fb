"""Scopes: what a name means in a rule about a person, and in a filter of one of the person's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanyu.dsl import syntax as s
from tests.oracle.evaluator.values import Duration
from tests.oracle.world import ATTRIBUTES, EVENT_TYPES, REFERENCES, Event

if TYPE_CHECKING:
    from tests.oracle.evaluator.evaluator import Oracle


class PersonScope:
    """Reads the names of a rule for one person."""

    def __init__(self, oracle: Oracle, person: int, population: list[int], rule: str) -> None:
        self.oracle, self.person, self.population, self.rule = oracle, person, population, rule

    def path(self, path: s.Path) -> Any:
        name = path.ref.name
        if name == "person":
            return self.path(s.Path(s.Ref(path.keys[0].name), path.keys[1:]))
        if name == "churn_risk":
            name = f"{name}@{path.ref.version or 4}"
        if name in ATTRIBUTES:
            value = self.attribute(name)
            if path.keys and value is not None:
                key = path.keys[0]
                return value.get(key.value if isinstance(key, s.Text) else key.name)
            return value
        if name == "channel":
            return frozenset(event.channel for event in self.seen() if event.channel)
        declared = self.oracle.library.get(name)
        if isinstance(declared, s.Metric):
            return self.oracle.expr(declared.expr, PersonScope(self.oracle, self.person, self.oracle.universe, name))
        if isinstance(declared, s.Tag):
            return self.oracle.tag(name, self.person)
        if name.startswith(("last_", "first_")):
            return self.recency(*name.split("_", 1))
        return name

    def recency(self, end: str, of: str) -> Any:
        events = self.seen() if of == "seen" else self.oracle.matching(s.Step(s.Ref(of)), self)
        return Duration(self.oracle.as_of - events[-1 if end == "last" else 0].at) if events else None

    def seen(self) -> list[Event]:
        events = self.oracle.events[self.person]
        return [event for event in events if event.at < self.oracle.as_of and event.type != "browse"]

    def attribute(self, name: str) -> Any:
        # A change counts from the instant after its occurred_at (K4).
        changes = [c for c in self.oracle.changes[self.person] if name in c.attributes and c.at < self.oracle.as_of]
        return changes[-1].attributes[name] if changes else None


class EventScope:
    """Reads the names of a filter: those of the event first, then those of the person."""

    def __init__(self, outer: PersonScope, event: Event) -> None:
        self.outer, self.event = outer, event
        self.person, self.population, self.rule = outer.person, outer.population, outer.rule

    def path(self, path: s.Path) -> Any:
        name = path.ref.name
        if name in EVENT_TYPES or isinstance(self.outer.oracle.library.get(name), s.Define):
            return self.path(s.Path(s.Ref(path.keys[0].name), path.keys[1:]))
        if name == "channel":
            return self.event.channel
        if name in REFERENCES:
            own = next((key for key in REFERENCES[name] if key in EVENT_TYPES[self.event.type]), "")
            key = self.event.properties.get(own)
            if not path.keys:
                return key
            return self.outer.oracle.world.catalogs[name].get(str(key), {}).get(path.keys[0].name)
        if name in {prop for properties in EVENT_TYPES.values() for prop in properties}:
            return self.event.properties.get(name)
        return self.outer.path(path)


Scope = PersonScope | EventScope
