"""The instants at which what a rule says of a person can change while nothing happens.

Read off a root of the plan whose instants move with as-of (`Parts.moving_root`): an event, or an instant that an
attribute holds, is at the edge of a window, an elapsed time at the duration that it is compared with. As long as the
root stands, a verdict changes at no other instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Reads:
    """What a root reads of a person, and how far before as-of.

    `ago`: distances of its moving instants from as-of; 0 is as-of itself. `durations`: those that it compares with, in
    milliseconds. `past_ms`: how far back it asks for attributes. `others`: also what other people do decides (ranks).
    `unlisted`: instants of goods or places meet a window that moves.
    """

    types: set[str]
    attributes: set[str]
    ago: set[int]
    durations: set[int]
    channels: bool
    past_ms: int
    others: bool
    unlisted: bool


@dataclass(frozen=True)
class Known:
    """Of one person: when events of each type occurred, and other instants that matter: those that attributes and
    properties hold, the first record's, and the last instants before attributes changed.
    """

    events: Mapping[str, Sequence[int]]
    instants: Sequence[int]


def moments(reads: Reads, known: Known, after: int, until: int) -> list[int]:
    """The instants t with `after < t < until` at which the root may say something else than just before, ascending."""
    types = known.events if reads.channels else reads.types
    instants = {at for name in types for at in known.events.get(name, ())} | {*known.instants}
    # What lies exactly on an edge is in on one side and out on the other: a duration is met at the instant and passed a
    # millisecond later, the edges of windows are passed.
    distances = {ago + 1 for ago in reads.ago}
    distances |= {ago + duration + beside for ago in reads.ago for duration in reads.durations for beside in (0, 1)}
    return sorted({at + by for at in instants for by in distances if after < at + by < until})


def reads_of(root: Json) -> Reads:
    """Of a root with moving instants."""
    types, attributes, ago, durations = set[str](), set[str](), {0}, set[int]()
    past_ms, channels, others, unlisted = 0, False, False, False
    for node, back in _nodes(root, 0):
        match node:
            case {"type": str(name), "where": _}:
                types.add(name)
            case {"ago": int(ms)}:
                ago.add(ms)
            case {"duration": int(ms)}:
                durations.add(ms)
            case {"op": "attribute", "name": name}:
                attributes.add(name)
                past_ms = max(past_ms, back)
            case {"op": "channels"}:
                channels = True
            case {"op": "rank" | "tile"}:
                others = True
            case {"op": "within", "expr": expr, "from": start, "to": end}:
                moves = isinstance(start, dict) or isinstance(end, dict)
                unlisted |= moves and any(part.get("op") == "lookup" for part, _ in _nodes(expr, 0))
    return Reads(types, attributes, ago, durations, channels, past_ms, others, unlisted)


def _nodes(node: Any, back: int) -> Iterator[tuple[Json, int]]:
    """Every object, and so many milliseconds before as-of it is asked of (0 also where that does not move)."""
    if isinstance(node, list):
        for item in node:
            if isinstance(item, dict):
                yield from _nodes(item, back)
    elif isinstance(node, dict):
        yield node, back
        if node.get("op") == "at":
            back = node["as_of"]["ago"] if isinstance(node["as_of"], dict) else 0
        for value in node.values():
            if isinstance(value, dict | list):
                yield from _nodes(value, back)
