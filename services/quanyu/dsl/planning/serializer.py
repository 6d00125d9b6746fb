"""Writes nodes of a plan as the JSON of docs/plan.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from quanyu.dsl.planning import literals, nodes

_OPERATORS: dict[type[Any], str] = {
    nodes.AllOf: "all",
    nodes.AnyOf: "any",
    nodes.Not: "not",
    nodes.OrUnknown: "or_unknown",
    nodes.Members: "set",
    nodes.MembersAt: "at",
    nodes.Constant: "constant",
    nodes.Compare: "compare",
    nodes.IsIn: "in",
    nodes.Has: "has",
    nodes.TextTest: "text",
    nodes.IsKnown: "known",
    nodes.IsUnknown: "unknown",
    nodes.Within: "within",
    nodes.Anniversary: "anniversary",
    nodes.Near: "near",
    nodes.Happened: "happened",
    nodes.Sequence: "sequence",
    nodes.Rank: "rank",
    nodes.Sample: "sample",
    nodes.Literal: "literal",
    nodes.Attribute: "attribute",
    nodes.Channels: "channels",
    nodes.Aggregate: "aggregate",
    nodes.Elapsed: "elapsed",
    nodes.Arithmetic: "arith",
    nodes.Default: "default",
    nodes.Tile: "tile",
    nodes.Case: "case",
    nodes.Property: "property",
    nodes.EventChannel: "event_channel",
    nodes.ByType: "by_type",
    nodes.Lookup: "lookup",
    nodes.Person: "person",
}
# Objects without an operator.
_PLAIN: tuple[type[Any], ...] = (
    nodes.YearDays,
    nodes.Tier,
    nodes.TypeValue,
    nodes.EventStep,
    nodes.Events,
    nodes.SequenceStep,
    nodes.Root,
    nodes.Plan,
)
# Objects with a single field, and its name.
_SINGLE: dict[type[Any], str] = {
    literals.Ago: "ago",
    literals.NumberValue: "num",
    literals.TextValue: "text",
    literals.BoolValue: "bool",
    literals.InstantValue: "instant",
    literals.DateValue: "date",
    literals.MonthDayValue: "month_day",
    literals.DurationValue: "duration",
}
# Fields with another name in the message.
_RENAMED = {"start": "from", "end": "to", "at_least": "min", "at_most": "max"}

Node = nodes.Cond | nodes.Expr | nodes.Root | nodes.Events | nodes.EventStep | nodes.SequenceStep | literals.Value


def serialize_plan(as_of_ms: int, roots: Sequence[nodes.Root]) -> bytes:
    """Returns the plan message of roots that were compiled at the instant."""
    return _dump(_encode(nodes.Plan(int(as_of_ms), tuple(roots))))


def serialize_root(root: nodes.Root) -> bytes:
    """Returns the JSON of one root, for `join_roots`."""
    return _dump(_encode(root))


def join_roots(as_of_ms: int, roots: Iterable[bytes]) -> bytes:
    """Returns the plan message of serialized roots at an instant at which they are valid."""
    return b'{"as_of":%d,"roots":[%s]}' % (as_of_ms, b",".join(roots))


def serialize_values(as_of_ms: int, exprs: Sequence[nodes.Expr]) -> bytes:
    """Returns the message that asks for the values of expressions at the instant."""
    return _dump({"as_of": int(as_of_ms), "exprs": list(map(_encode, exprs))})


def to_json(node: Node) -> dict[str, Any]:
    """Returns a node as the JSON object that the plan message holds."""
    encoded: dict[str, Any] = _encode(node)
    return encoded


def _dump(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _encode(node: Any) -> Any:
    """Encodes a node with the fields in the order of their declaration; takes one stack frame for each level."""
    kind = type(node)
    layout = _LAYOUTS.get(kind)
    if layout is None:
        return {"point": [node.lat, node.lon]} if kind is literals.PointValue else node
    head, names = layout
    message: dict[str, Any] = dict(head)
    for attribute, name in names:
        value = getattr(node, attribute)
        # `map` adds no stack frame, as a comprehension does.
        message[name] = list(map(_encode, value)) if type(value) is tuple else _encode(value)
    return message


def _layout(kind: type[Any], head: dict[str, str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    return head, tuple((field.name, _RENAMED.get(field.name, field.name)) for field in fields(kind))


_LAYOUTS: dict[type[Any], tuple[dict[str, str], tuple[tuple[str, str], ...]]] = {
    **{kind: _layout(kind, {"op": operator}) for kind, operator in _OPERATORS.items()},
    **{kind: _layout(kind, {}) for kind in _PLAIN},
    **{kind: ({}, ((fields(kind)[0].name, name),)) for kind, name in _SINGLE.items()},
}
