"""Gives random trees declared names."""

import random
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from tests.unit.dsl.world import ATTRIBUTES, EVENTS

EVENT_NAMES = [event.name for event in EVENTS] + ["touch", "coffee"]
VALUE_NAMES = [a.name.partition("@")[0] for a in ATTRIBUTES] + ["net_spend", "frequency", "channel", "first_seen"]
VALUE_NAMES += [f"last_{name}" for name in EVENT_NAMES] + ["pos", "heavy", "gold"]
PROPERTY_NAMES = [
    "amount",
    "quantity",
    "note",
    "product",
    "store",
    "category",
    "price",
    "city",
    "paid",
    "due",
    "channel",
]


class Renamer:
    """Replaces the names in a random tree by declared names of the same kind, so that most trees bind."""

    def __init__(self, chosen: random.Random) -> None:
        self._chosen = chosen

    def tree(self, node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(self.tree(item) for item in node)
        if not isinstance(node, s.Node):
            return node
        node = replace(node, **{name: self.tree(value) for name, value in s.get_fields(node).items() if name != "span"})
        match node:
            case s.Aggregate():
                keys = tuple(
                    s.Key(name) for name in self._chosen.choice([(), ("amount",), ("quantity",), ("store", "city")])
                )
                return replace(node, path=s.Path(self._ref(EVENT_NAMES), keys))
            case s.Path():
                return s.Path(self._ref(VALUE_NAMES + PROPERTY_NAMES), node.keys if self._chosen.random() < 0.1 else ())
            case s.Step():
                return replace(node, ref=self._ref(EVENT_NAMES))
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                return replace(node, ref=self._ref(["vip", "buyers"]))
            case s.Sequence():
                return replace(node, by=node.by and s.Path(self._ref([*PROPERTY_NAMES, "points"])))
            case s.InTop() | s.InBottom():
                return replace(node, among=node.among and self._ref(["vip", "buyers"]))
            case s.Tile():
                return replace(node, among=node.among and self._ref(["vip", "buyers"]))
        return node

    def _ref(self, names: list[str]) -> s.Ref:
        return s.Ref(self._chosen.choice(names))
