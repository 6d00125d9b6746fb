"""What the index says of one person as of any instant."""

from __future__ import annotations

import json
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import plan, standing_plan
from quanyu.dsl.calendar.windows import epoch_days
from quanyu.engine import Index, InvalidError
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.instants import LATEST_MS
from quanyu.tagging.evaluation.context import EvaluationContext

Json = dict[str, Any]
# Of a timeline, the newest; nobody's membership is told by events beyond them.
MOST_EVENTS = 2_000
_PAGE = 1_000
# What roots have in common is looked for among all of a plan: many small plans are sooner answered than a large one.
_ROOTS = 64


class OnePerson:
    """`answer` holds nobody; it says at what epoch the person is asked about.

    NotFound if nothing of the person is known there.
    """

    def __init__(self, index: Index, evaluation: EvaluationContext, person: int) -> None:
        self.evaluation = evaluation
        self._index, self._person = index, person
        self._profiles: dict[bytes, pb.GetProfileResponse] = {}
        self._first_look = self._look()
        self.answer = index.evaluate(plan(evaluation.clock.as_of_ms), evaluation.known_at, evaluation.limits)
        self.engine_ms = self.answer.microseconds / 1000
        if not self._first_look[0]:
            raise NotFound(f"there is no person {person}", reason="UNKNOWN_PERSON")

    def is_as_before(self) -> bool:
        """Whether all answers are of one epoch, since nothing was folded, or nothing about this person.

        Ranks may already hold what others did meanwhile.
        """
        is_past = self.evaluation.known_at is not None
        return is_past or self._index.epoch() == self.answer.epoch or self._look() == self._first_look

    def _look(self) -> list[bytes]:
        """What there is of the person, to be compared."""
        evaluation = self.evaluation
        instants = (evaluation.clock.as_of_ms, LATEST_MS)
        return [*(self._index.profile(self._person, at, evaluation.known_at) for at in instants), *self._pages()]

    def verdicts(self, as_of_ms: int, roots: Sequence[Json]) -> list[bool | None]:
        """True, False or unknown (None), root by root. InvalidInput for a pattern that cannot be read."""
        found: list[bool | None] = []
        for start in range(0, len(roots), _ROOTS):
            texts = [json.dumps(root, ensure_ascii=False).encode() for root in roots[start : start + _ROOTS]]
            found += self._ask(standing_plan(as_of_ms, texts))
        return found

    def _ask(self, message: bytes) -> list[bool | None]:
        began = time.perf_counter()
        try:
            found = self._index.verdicts(message, [self._person], self.evaluation.known_at, self.evaluation.limits)
        except InvalidError as error:
            raise InvalidInput(f"the rule cannot be asked: {error}", reason="RULE_NOT_COUNTABLE") from error
        self.engine_ms += (time.perf_counter() - began) * 1000
        return [of_root[0] for of_root in found]

    def holding(self, as_of_ms: int, conds: Sequence[Json]) -> list[bool]:
        """Which of the conditions of a plan are true of the person, over the universe."""
        return [said is True for said in self.verdicts(as_of_ms, [_root(cond) for cond in conds])]

    def count(self, as_of_ms: int, *roots: Json) -> list[int]:
        """Of how many people roots are true."""
        answer = self._index.find(
            standing_plan(as_of_ms, [json.dumps(root).encode() for root in roots]),
            self.evaluation.known_at,
            self.evaluation.limits,
        )
        self.engine_ms += answer.microseconds / 1000
        return [answer.matched(at) for at in range(len(roots))]

    def profile(self, as_of_ms: int) -> pb.GetProfileResponse:
        found = self._index.profile(self._person, as_of_ms, self.evaluation.known_at)
        if found not in self._profiles:
            self._profiles[found] = pb.GetProfileResponse.FromString(found)
        return self._profiles[found]

    @cached_property
    def events(self) -> list[pb.TimelineEvent]:
        """The newest MOST_EVENTS, newest first, whenever they occurred; only those that were known at the offset."""
        pages = map(pb.ListTimelineResponse.FromString, self._first_look[2:])
        listed = [event for page in pages for event in page.events]
        if not listed:
            return []
        alike: Counter[bytes] = Counter()
        conds = []
        for event in reversed(listed):
            # Which of several that are equal in everything it is does not matter, so the n-th counts if n do.
            key = event.SerializeToString(deterministic=True)
            alike[key] += 1
            conds.append(self.happened(event, None, alike[key]))
        counted = self.holding(at_ms(listed[0].occurred_at) + 1, conds)
        return [event for event, counts in zip(listed, reversed(counted), strict=True) if counts]

    @cached_property
    def has_all_events(self) -> bool:
        """Whether `events` are all that count; some may be beyond them, or be with another person by now."""
        end = max([self.evaluation.clock.as_of_ms, *(at_ms(event.occurred_at) + 1 for event in self.events[:1])])
        steps = [{"type": name, "where": None} for name in self.evaluation.catalog.event_types]
        every = {"steps": steps, "from": None, "to": end}
        number = len(self.events)
        return not steps or self.holding(end, [{"op": "happened", "events": every, "min": 0, "max": number}])[0]

    def _pages(self) -> Iterator[bytes]:
        token = b""
        for _ in range(MOST_EVENTS // _PAGE):
            page = self._index.timeline(self._person, token, _PAGE)
            yield page
            token = pb.ListTimelineResponse.FromString(page).next_page_token.encode()
            if not token:
                return

    def happened(self, event: pb.TimelineEvent, where: Json | None, times: int = 1) -> Json:
        """The condition that this event, or so many like it, counted and fitted a filter."""
        own = self._like(event)
        step = {"type": event.type, "where": {"op": "all", "of": own if where is None else [where, *own]}}
        at = at_ms(event.occurred_at)
        return {
            "op": "happened",
            "events": {"steps": [step], "from": at, "to": at + 1},
            "min": times,
            "max": None,
        }

    def _like(self, event: pb.TimelineEvent) -> list[Json]:
        """Filters that tell it from other events of its type at its instant."""
        channel: Json = {"op": "event_channel"}
        conds = [_equal(channel, {"text": event.channel}) if event.channel else {"op": "unknown", "expr": channel}]
        declared = self.evaluation.catalog.event_types.get(event.type)
        for name, field in (declared.properties if declared else {}).items():
            value: Json = {"op": "property", "name": name}
            if name not in event.properties:
                conds.append({"op": "unknown", "expr": value})
            elif (written := literal(event.properties[name], field.kind)) is not None:
                conds.append(_equal(value, written))
        return conds


def verdict(said: bool | None) -> pb.Verdict:
    return pb.VERDICT_UNKNOWN if said is None else pb.VERDICT_TRUE if said else pb.VERDICT_FALSE


def at_ms(instant: Timestamp) -> int:
    return int(instant.ToMilliseconds())


def literal(value: event_pb2.Value, kind: str) -> Json | None:
    """As plans write it; None for sets, maps and points, which are not compared as wholes."""
    match value.WhichOneof("kind"):
        case "flag":
            return {"bool": value.flag}
        case "decimal":
            return {"num": value.decimal}
        case "text":
            return {"text": unicodedata.normalize("NFKC", value.text)}
        case "instant":
            return {"instant": at_ms(value.instant)}
        case "date" if kind == "date":
            return {"date": epoch_days(date.fromisoformat(value.date))}
        case "date":
            month, _, day = value.date.partition("-")
            return {"month_day": int(month) * 100 + int(day)}
    return None


def _equal(expr: Json, written: Json) -> Json:
    return {"op": "compare", "cmp": "=", "left": expr, "right": {"op": "literal", "value": written}}


def _root(cond: Json) -> Json:
    return {"name": "asked", "cond": cond, "among": None}
