"""The facts about one person that a condition rests on: events that count, attributes, and what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Parts, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning.values import decimal_text
from quanyu.runtime.instants import EARLIEST_MS, LATEST_MS, timestamp
from quanyu.tagging.explanation.one_person import (
    Json,
    OnePerson,
    at_ms,
    literal,
)
from quanyu.tagging.explanation.searching import Search, search

# Of the numbers that there are (A7), in millionths.
_MOST = 9 * 10**18
_FIRST_DAY, _LAST_DAY = EARLIEST_MS // 86_400_000, LATEST_MS // 86_400_000
# What is about other people or other instants, or chooses between conditions.
_APART = ("set", "at", "case")


@dataclass(frozen=True)
class EventSet:
    """Events of a plan, and of which of them a fact is: all, the `first` or the `last`."""

    steps: Sequence[Json]
    start: int | None
    end: int
    only: str = ""


class Facts:
    """As of the instant of a clock, which is that of `parts`."""

    def __init__(self, person: OnePerson, parts: Parts, as_of_ms: int) -> None:
        self._person, self._parts, self._as_of = person, parts, as_of_ms

    # events

    def events(self, root: Json) -> list[pb.TimelineEvent]:
        """Those that count for a condition, newest first."""
        found: set[int] = set()
        for events in _event_sets(root["cond"]):
            counted = self.counted(events)
            found |= set(counted[:1] if events.only == "last" else counted[-1:] if events.only else counted)
        return [self._person.events[at] for at in sorted(found)]

    def counted(self, events: EventSet) -> list[int]:
        """Places in the person's events of those that count, newest first."""
        wheres = {step["type"]: step["where"] for step in events.steps}
        listed = [
            (at, event)
            for at, event in enumerate(self._person.events)
            if event.type in wheres and (events.start or EARLIEST_MS) <= at_ms(event.occurred_at) < events.end
        ]
        conds = [self._person.happened(event, wheres[event.type]) for _, event in listed]
        fits = self._person.holding(self._as_of, conds)
        return [at for (at, _), does in zip(listed, fits, strict=True) if does]

    # values

    def values(self, exprs: Sequence[s.Expr]) -> list[pb.Witness]:
        """What each is of the person, in order; without a value where it is unknown, or nothing that can be shown."""
        asked = [(expr, *self._parts.value(expr)) for expr in exprs]
        known = self._person.holding(self._as_of, [{"op": "known", "expr": value} for _, value, _ in asked])
        ordered = {at: _ordered(value, kind) for at, (_, value, kind) in enumerate(asked) if known[at]}
        searches = {at: found for at, found in ordered.items() if found is not None}
        numbers = dict(zip(searches, search(self._person, self._as_of, list(searches.values())), strict=True))
        return [self._witness(*one, known[at], numbers.get(at)) for at, one in enumerate(asked)]

    def _witness(self, expr: s.Expr, value: Json, kind: Type, is_known: bool, number: int | None) -> pb.Witness:
        text = format_rule(expr)
        if value["op"] == "elapsed":
            return pb.Witness(recency=pb.Recency(name=text, instant=None if number is None else timestamp(number)))
        if value["op"] in ("attribute", "channels"):
            return pb.Witness(attribute=pb.AttributeFact(name=text, value=self._held(value)))
        measure = pb.Measure(text=text)
        if number is not None:
            measure.value.CopyFrom(_value(number, kind))
            if kind.numeric and value["op"] != "tile":
                exactly = _compared(value, "=", measure.value.decimal)
                measure.cut = not self._person.holding(self._as_of, [exactly])[0]
        elif is_known and (found := self._among(value, kind)) is not None:
            measure.value.CopyFrom(found)
        return pb.Witness(measure=measure)

    def _held(self, value: Json) -> event_pb2.Value | None:
        profile = self._person.profile(self._as_of)
        if value["op"] == "channels":
            return event_pb2.Value(set=event_pb2.TextSet(items=profile.channels))
        held = profile.attributes.get(value["name"])
        if held is None or value["key"] is None:
            return held
        return held.map.entries.get(value["key"])

    def _among(self, expr: Json, kind: Type) -> event_pb2.Value | None:
        """Which it is of the texts, flags and month-days that the person's events, the catalog and the rule have."""
        texts = {*kind.values, *(str(node["text"]) for node in nodes_of(expr) if "text" in node)}
        candidates = [event_pb2.Value(text=text) for text in sorted(texts)]
        candidates += [event_pb2.Value(flag=flag) for flag in (True, False)]
        properties = (value for event in self._person.events for value in event.properties.values())
        candidates += {value.SerializeToString(): value for value in properties}.values()
        family = {"text": "text", "bool": "flag", "month_day": "date"}.get(kind.family, "")
        fitting = [value for value in candidates if value.WhichOneof("kind") == family]
        written = [literal(value, kind.kind) for value in fitting]
        equal = [
            {"op": "compare", "cmp": "=", "left": expr, "right": {"op": "literal", "value": literal_}}
            for literal_ in written
        ]
        held = self._person.holding(self._as_of, equal)
        return next((value for value, is_equal in zip(fitting, held, strict=True) if is_equal), None)

    def place(self, expr: s.Expr, rank: Json, among: Json | None) -> str:
        """Where a `rank` node has the person, in words."""
        (fact,) = self.values([expr])
        value, kind = self._parts.value(expr)
        population = rank["population"] or among
        known = {"name": "known", "cond": {"op": "known", "expr": value}, "among": population}
        held = fact.attribute.value if fact.HasField("attribute") else fact.measure.value
        own = None if fact.measure.cut else literal(held, kind.kind)
        if not self._person.verdicts(self._as_of, [known])[0]:
            (number,) = self._person.count(self._as_of, known)
            return f"not one of the {number} who are ranked"
        if own is None:
            (number,) = self._person.count(self._as_of, known)
            return f"{number} are ranked"
        better = {"op": "compare", "cmp": ">" if rank["side"] == "top" else "<", "left": value}
        better["right"] = {"op": "literal", "value": own}
        number, before = self._person.count(self._as_of, known, {**known, "cond": better})
        return f"place {before + 1} of {number}"


def subjects(cond: s.Cond) -> list[s.Expr]:
    """What a condition compares, and what that is computed of, each once."""
    found: list[s.Expr] = []
    for child in s.iter_children(cond):
        found += _parts_of(child)
    return list(dict.fromkeys(found))


def _parts_of(node: s.Node) -> Iterator[s.Expr]:
    match node:
        case s.Path() | s.Aggregate():
            yield node
        case s.Arithmetic(left=left, right=right):
            yield node
            yield from (*_parts_of(left), *_parts_of(right))
        case s.Default(expr=expr, otherwise=otherwise):
            yield from (*_parts_of(expr), *_parts_of(otherwise))
        case s.Tile(expr=expr):
            yield node
            yield from _parts_of(expr)


def _event_sets(node: Any) -> Iterator[EventSet]:
    if isinstance(node, list):
        for item in node:
            yield from _event_sets(item)
    elif isinstance(node, dict) and node.get("op") not in _APART:
        if "events" in node and "op" in node:
            yield _event_set(node)
        for name, value in node.items():
            if name != "population":
                yield from _event_sets(value)


def _event_set(node: Json) -> EventSet:
    events, value = node["events"], node.get("value")
    # Events whose value is unknown take no part (A1).
    steps = events["steps"] if value is None else knowing(value, events["steps"])
    only = {"earliest": "first", "latest": "last"}.get(node.get("fn", ""), "")
    return EventSet(steps, events["from"], events["to"], only)


def knowing(value: Json, steps: Sequence[Json]) -> list[Json]:
    """The steps of a plan with those of their events only that have a value."""
    known = {"op": "known", "expr": value}
    return [
        {**step, "where": {"op": "all", "of": [known, *([step["where"]] if step["where"] else [])]}} for step in steps
    ]


def _ordered(value: Json, kind: Type) -> Search | None:
    """How a value that has an order is found: as millionths, milliseconds or days; None for others."""
    if value["op"] in ("attribute", "channels"):
        return None
    if value["op"] == "elapsed":
        return Search(EARLIEST_MS, LATEST_MS, _since(value["of"]))
    if value["op"] == "tile":  # each step ranks everybody, so only whole numbers are tried
        return Search(0, value["k"] + 1, lambda x: _compared(value, ">=", str(x)), 10**6)
    if kind.numeric:
        return Search(-_MOST, _MOST, lambda x: _compared(value, ">=", _decimal(x)))
    if kind.kind == "instant":
        return Search(EARLIEST_MS, LATEST_MS, _since(value))
    return Search(_FIRST_DAY, _LAST_DAY, _since(value)) if kind.kind == "date" else None


def _since(expr: Json) -> Callable[[int], Json]:
    return lambda start: {"op": "within", "expr": expr, "from": start, "to": None}


def _compared(expr: Json, cmp: str, number: str) -> Json:
    return {"op": "compare", "cmp": cmp, "left": expr, "right": {"op": "literal", "value": {"num": number}}}


def _decimal(millionths: int) -> str:
    return decimal_text(Decimal(millionths) / 10**6)


def _value(number: int, kind: Type) -> event_pb2.Value:
    if kind.numeric:
        return event_pb2.Value(decimal=_decimal(number))
    if kind.kind == "date":
        return event_pb2.Value(date=(date(1970, 1, 1) + timedelta(days=number)).isoformat())
    return event_pb2.Value(instant=timestamp(number))


def nodes_of(node: Any) -> Iterator[Json]:
    """Every object of a part of a plan, the outer before the inner."""
    if isinstance(node, list):
        for item in node:
            yield from nodes_of(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes_of(value)
