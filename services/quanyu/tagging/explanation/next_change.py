"""When the verdict about a person changes if nothing happens: the first instant at which the engine says otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Parts
from quanyu.dsl import syntax as s
from quanyu.dsl.planning.moments import (
    Known,
    Reads,
    moments,
    reads_of,
)
from quanyu.runtime.instants import EARLIEST_MS, LATEST_MS, timestamp
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input
from quanyu.tagging.explanation.one_person import (
    Json,
    OnePerson,
    at_ms,
    verdict,
)
from quanyu.tagging.explanation.searching import Search, search

DAY_MS = 86_400_000
HORIZON_MS = 400 * DAY_MS
# Instants that are tried at most; a ranking reads everybody at each of them.
MOST_TRIED = 4_000
MOST_RANKED = 32
_LOOKS = 256

EVERYBODY: Json = {"op": "constant", "value": True}


class NextChange:
    """Of one condition, as it stands in a segment or alone."""

    def __init__(
        self, person: OnePerson, cond: s.Cond, segment: s.Segment | None, evaluation: EvaluationContext
    ) -> None:
        self._person, self._cond, self._segment, self._evaluation = person, cond, segment, evaluation
        self._as_of = evaluation.clock.as_of_ms
        self._end = min(self._as_of + HORIZON_MS, LATEST_MS - 1)
        self._known: dict[tuple[frozenset[str], frozenset[str], int], Known] = {}
        self._approximate = False

    def find(self) -> pb.Flip:
        """Without `because`."""
        root, _ = self._moving(self._as_of)
        now = self._verdict(self._as_of, root)
        most = MOST_RANKED if reads_of(root).others else MOST_TRIED
        last = self._as_of
        for tried, (at, asked) in enumerate(self._candidates()):
            if tried == most:
                return pb.Flip(looked_until=timestamp(last), approximate=self._approximate)
            found = self._verdict(at, asked)
            if found != now:
                instant = timestamp(at)
                return pb.Flip(at=instant, verdict=found, looked_until=instant, approximate=self._approximate)
            last = at
        return pb.Flip(looked_until=timestamp(self._end), approximate=self._approximate)

    def _verdict(self, as_of_ms: int, root: Json) -> pb.Verdict:
        inside, said = self._person.verdicts(as_of_ms, [{**root, "cond": EVERYBODY}, root])
        return verdict(said) if inside else pb.VERDICT_OUTSIDE

    def _candidates(self) -> Iterator[tuple[int, Json]]:
        """Instants after as-of in order, each with the root that stands there."""
        at = self._as_of
        while at <= self._end:
            root, stands = self._moving(at)
            until = self._end + 1 if stands is None else min(at + stands, self._end + 1)
            if at > self._as_of:
                yield at, root
            reads = reads_of(root)
            listed = moments(reads, self._known_of(reads), at, until)
            if reads.others or reads.unlisted:
                self._approximate = True
                listed = sorted({*listed, *self._days(at, until)})
            for moment in listed:
                yield moment, root
            at = until

    def _moving(self, at: int) -> tuple[Json, int | None]:
        clock = replace(self._evaluation.clock, as_of_ms=at)
        with rule_errors_as_invalid_input():
            return Parts(self._segment, self._evaluation.library, self._evaluation.catalog, clock).moving_root(
                self._cond
            )

    def _days(self, after: int, until: int) -> Iterable[int]:
        clock = self._evaluation.clock
        day = clock.day_of(after)
        while (start := clock.day_start_ms(day)) < until:
            if start > after:
                yield start
            day = clock.day_of(start + DAY_MS * 3 // 2)

    # what is known of the person

    def _known_of(self, reads: Reads) -> Known:
        key = (frozenset(reads.types), frozenset(reads.attributes), reads.past_ms)
        if key not in self._known:
            self._known[key] = self._gathered(reads)
        return self._known[key]

    def _gathered(self, reads: Reads) -> Known:
        events: dict[str, list[int]] = {}
        instants = [self._first_record]
        for event in self._person.events:
            events.setdefault(event.type, []).append(at_ms(event.occurred_at))
            if event.type in reads.types:
                instants += _instants(event.properties.values())
        self._approximate |= not self._person.has_all_events
        if reads.attributes:
            instants += self._of_attributes(reads)
        return Known(events, instants)

    def _of_attributes(self, reads: Reads) -> Iterator[int]:
        """The instants that they hold, and the last ones before they change."""
        earliest = self._as_of - reads.past_ms
        changes = list(self._changes(reads.attributes, earliest, self._end))
        # A value that came and went between two looks is not seen.
        is_historic = self._as_of < self._person.answer.epoch[1]
        self._approximate |= is_historic or bool(reads.past_ms or changes)
        for at in (earliest, *(change + 1 for change in changes)):
            held = self._person.profile(at).attributes
            yield from _instants(held[name] for name in reads.attributes if name in held)
        yield from changes

    def _changes(self, names: Iterable[str], start: int, end: int) -> Iterator[int]:
        """Instants after which an attribute has another value than before, as far as looks at even distances tell."""

        def look(at: int) -> list[bytes]:
            held = self._person.profile(at).attributes
            return [held[name].SerializeToString(deterministic=True) if name in held else b"" for name in sorted(names)]

        def between(low: int, before: list[bytes], high: int, after: list[bytes]) -> Iterator[int]:
            if before == after:
                return
            if high - low == 1:
                yield low
                return
            middle = (low + high) // 2
            found = look(middle)
            yield from between(low, before, middle, found)
            yield from between(middle, found, high, after)

        edges = [start + (end - start) * part // _LOOKS for part in range(_LOOKS + 1)]
        for (low, before), (high, after) in itertools.pairwise((at, look(at)) for at in edges):
            yield from between(low, before, high, after)

    @cached_property
    def _first_record(self) -> int:
        """The person is in the universe after it (U5)."""

        def outside(at: int) -> Json:
            return {"op": "not", "of": {"op": "at", "as_of": at, "of": EVERYBODY, "among": None}}

        return search(self._person, self._end, [Search(EARLIEST_MS, self._end, outside)])[0]


def _instants(values: Iterable[event_pb2.Value]) -> Iterator[int]:
    for value in values:
        if value.HasField("instant"):
            yield at_ms(value.instant)
        yield from _instants(value.map.entries.values())
