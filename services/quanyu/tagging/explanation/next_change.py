"""Finds when the verdict about a person changes by the passage of time alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import PartCompiler, join_roots
from quanyu.dsl import syntax as s
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.serializer import serialize_root
from quanyu.engine import Dependencies, plan_dependencies
from quanyu.runtime.instants import LATEST_MS, timestamp
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input
from quanyu.tagging.explanation.change_instants import PersonInstants, change_instants
from quanyu.tagging.explanation.person_queries import PersonQueries, at_ms, verdict_message

DAY_MS = 86_400_000
HORIZON_MS = 400 * DAY_MS
# The maximum number of candidates; a ranking reads all people for each of them.
MOST_TRIED = 4_000
MOST_RANKED = 32
_EVERYBODY = nodes.Constant(True)


@dataclass(frozen=True, slots=True)
class _RelativeRoot:
    """A condition compiled with instants relative to as-of, valid for `valid_ms` (None: always).

    `roots` are the population and the condition, as JSON.
    """

    roots: tuple[bytes, bytes]
    reads: Dependencies
    valid_ms: int | None


class NextChange:
    """Finds when a person's verdict changes by the passage of time alone.

    Evaluates the condition, in a segment or alone, at every instant where one of its windows gains or loses a fact of
    the person, up to HORIZON_MS ahead.
    """

    def __init__(
        self, person: PersonQueries, cond: s.Cond, segment: s.Segment | None, evaluation: EvaluationContext
    ) -> None:
        self._person, self._cond, self._segment, self._evaluation = person, cond, segment, evaluation
        self._as_of = evaluation.clock.as_of_ms
        self._end = min(self._as_of + HORIZON_MS, LATEST_MS - 1)
        self._known: dict[tuple[frozenset[str], frozenset[str], int], PersonInstants] = {}
        self._is_approximate = False

    def find(self) -> pb.Flip:
        """Returns the first change, or the instant up to which there is none.

        `approximate` is set where candidate instants cannot be listed (ranks, attributes at past instants) and each day
        start is a candidate instead. The field `because` is left to the caller.
        """
        root = self._compile(self._as_of)
        now = self._verdict(self._as_of, root)
        most = MOST_RANKED if root.reads.ranks else MOST_TRIED
        last = self._as_of
        for tried, (at, valid) in enumerate(self._candidates()):
            if tried == most:
                return self._flip(last)
            found = self._verdict(at, valid)
            if found != now:
                return self._flip(at, found)
            last = at
        return self._flip(self._end)

    def _flip(self, until: int, verdict: pb.Verdict | None = None) -> pb.Flip:
        flip = pb.Flip(looked_until=timestamp(until), approximate=self._is_approximate)
        if verdict is not None:
            flip.at.CopyFrom(flip.looked_until)
            flip.verdict = verdict
        return flip

    def _verdict(self, as_of_ms: int, root: _RelativeRoot) -> pb.Verdict:
        inside, found = self._person.verdicts_of_plan(join_roots(as_of_ms, root.roots))
        return verdict_message(found) if inside else pb.VERDICT_OUTSIDE

    def _candidates(self) -> Iterator[tuple[int, _RelativeRoot]]:
        """Yields the instants after as-of in order, each with the condition compiled for it."""
        at = self._as_of
        while at <= self._end:
            root = self._compile(at)
            until = self._end + 1 if root.valid_ms is None else min(at + root.valid_ms, self._end + 1)
            if at > self._as_of:
                yield at, root
            instants = change_instants(root.reads, self._instants_of(root.reads), at, until)
            if root.reads.ranks or root.reads.items_in_windows:
                self._is_approximate = True
                instants = sorted({*instants, *self._day_starts(at, until)})
            for instant in instants:
                yield instant, root
            at = until

    def _compile(self, at: int) -> _RelativeRoot:
        evaluation = self._evaluation
        clock = replace(evaluation.clock, as_of_ms=at)
        with rule_errors_as_invalid_input():
            parts = PartCompiler(self._segment, evaluation.library, evaluation.catalog, clock)
            root, valid_ms = parts.compile_relative_root(self._cond)
        message = serialize_root(root)
        population = serialize_root(replace(root, cond=_EVERYBODY))
        return _RelativeRoot((population, message), plan_dependencies(message), valid_ms)

    def _day_starts(self, after: int, until: int) -> Iterable[int]:
        clock = self._evaluation.clock
        day = clock.day_of(after)
        while (start := clock.day_start_ms(day)) < until:
            if start > after:
                yield start
            day = clock.day_of(start + DAY_MS * 3 // 2)

    # the instants of the person

    def _instants_of(self, reads: Dependencies) -> PersonInstants:
        key = (frozenset(reads.event_types), frozenset(reads.attributes), reads.past_ms)
        if key not in self._known:
            self._known[key] = self._gather(reads)
        return self._known[key]

    def _gather(self, reads: Dependencies) -> PersonInstants:
        events: dict[str, list[int]] = {}
        first_record = self._person.first_record_ms
        others = [] if first_record is None else [first_record]
        for event in self._person.events:
            events.setdefault(event.type, []).append(at_ms(event.occurred_at))
            if event.type in reads.event_types:
                others += _instants_in(event.properties.values())
        self._is_approximate |= not self._person.has_all_events
        if reads.attributes:
            others += self._of_attributes(sorted(reads.attributes), reads.past_ms)
        return PersonInstants(events, others)

    def _of_attributes(self, names: list[str], past_ms: int) -> Iterator[int]:
        """Yields the instants in attributes, and the last instants before attributes change."""
        earliest = self._as_of - past_ms
        changes = self._person.attribute_changes(names, earliest, self._end)
        is_historic = self._as_of < self._person.answer.epoch[1]
        self._is_approximate |= is_historic or bool(past_ms or changes)
        for at in (earliest, *(change + 1 for change in changes)):
            held = self._person.profile(at).attributes
            yield from _instants_in(held[name] for name in names if name in held)
        yield from changes


def _instants_in(values: Iterable[event_pb2.Value]) -> Iterator[int]:
    for value in values:
        if value.HasField("instant"):
            yield at_ms(value.instant)
        yield from _instants_in(value.map.entries.values())
