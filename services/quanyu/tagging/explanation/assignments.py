"""One choice of a person's events for the steps of a sequence, or for as many of its first steps as can be.

What fits is asked of the engine, two neighbouring steps at a time: a sequence of two whose gap must be exactly that of
two events, within the time from the one to the other, can only be those two.
"""

from __future__ import annotations

from typing import Any

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.tagging.explanation.facts import EventSet, Facts, knowing
from quanyu.tagging.explanation.one_person import Json, OnePerson, at_ms

# Events of a step that are tried, the newest.
MOST_TRIED = 20


class Assignments:
    """Of a `sequence` node of a plan, as of an instant."""

    def __init__(self, person: OnePerson, facts: Facts, node: Json, as_of_ms: int) -> None:
        self._person, self._facts, self._node, self._as_of = person, facts, node, as_of_ms

    def longest(self) -> int:
        """How many of the first steps fit; what follows the last of them in its gap is not looked at."""
        steps = self._node["steps"]
        first = [[*steps[: size - 1], {**steps[size - 1], "without": []}] for size in range(1, len(steps))]
        fits = self._person.holding(self._as_of, [{**self._node, "steps": some} for some in first] + [self._node])
        return max((size for size, does in enumerate(fits, 1) if does), default=0)

    def of_first(self, size: int) -> list[pb.TimelineEvent]:
        """Events for the first so many steps, oldest first; none where there are too many to try."""
        steps = self._node["steps"][:size]
        if not steps:
            return []
        tried = [self._fitting(step["events"], self._node["from"])[:MOST_TRIED] for step in steps]
        # By event of the step that is looked at: events from it to the last step.
        chains = {at: [at] for at in tried[-1] if size < len(self._node["steps"]) or not self._is_followed(at)}
        for number in range(size - 2, -1, -1):
            step, following = steps[number : number + 2]
            pairs = [(at, then) for at in tried[number] for then in chains if self._in_order(at, then, following)]
            fits = self._person.holding(self._as_of, [self._pair(step, following, *pair) for pair in pairs])
            chains = {at: [at, *chains[then]] for (at, then), does in zip(pairs, fits, strict=True) if does}
        chain = next(iter(chains.values()), [])
        return [self._person.events[at] for at in chain]

    def _fitting(self, steps: list[Json], start: int | None) -> list[int]:
        """Events from an instant on, newest first; without the value that all have in common none fits (Q7)."""
        by = self._node["by"]
        known = steps if by is None else knowing(by, steps)
        return self._facts.counted(EventSet(known, start, self._node["to"]))

    def _at(self, place: int) -> int:
        return at_ms(self._person.events[place].occurred_at)

    def _in_order(self, at: int, then: int, step: Json) -> bool:
        gap = self._at(then) - self._at(at)
        return gap >= (step["after"] or 1) and (step["within"] is None or gap <= step["within"])

    def _pair(self, first: Json, second: Json, at: int, then: int) -> Json:
        start, end = self._at(at), self._at(then)
        steps = [
            {**first, "after": None, "within": None},
            {**second, "after": end - start, "within": end - start, "without": []},
        ]
        return {**self._node, "steps": steps, "from": start, "to": end + 1}

    def _is_followed(self, at: int) -> bool:
        """Whether an event that is forbidden after the last step follows this one."""
        last = self._node["steps"][-1]
        if not last["without"]:
            return False
        forbidden: dict[str, Any] = {"events": last["without"], "without": []}
        later = self._fitting(last["without"], self._at(at) + 1)
        pairs = [self._pair({**last, "without": []}, forbidden, at, then) for then in later]
        return any(self._person.holding(self._as_of, pairs))
