"""Asks the engine about one person."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import serialize_plan
from quanyu.dsl.planning.nodes import Expr, Root
from quanyu.engine import Index, InvalidError, Witnesses
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.instants import LATEST_MS
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.values import ExprValue, read_values

# The newest events of a timeline that are read.
MOST_EVENTS = 2_000
_PAGE = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CountedEvents:
    """The events that a condition counts: their number, the newest of them (newest first), and the oldest."""

    number: int
    newest: Sequence[pb.TimelineEvent]
    oldest: pb.TimelineEvent | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The number of first steps of a sequence with fitting events, and an event for each of them, oldest first.

    There are no events if only events fit that are older than those that the engine tries.
    """

    steps: int
    events: Sequence[pb.TimelineEvent]


class PersonQueries:
    """Queries of one person, all answered at one epoch as long as `is_unchanged` is true.

    `answer` has no roots, only the epoch. `engine_ms` is the total time of the engine.
    Raises NotFound if the person is unknown at the epoch.
    """

    def __init__(self, index: Index, evaluation: EvaluationContext, person: int) -> None:
        self._index, self._evaluation, self._person = index, evaluation, person
        self._profiles: dict[bytes, pb.GetProfileResponse] = {}
        self._first_look = self._look()
        message = serialize_plan(evaluation.clock.as_of_ms, [])
        self.answer = index.evaluate(message, evaluation.known_at, evaluation.limits)
        self.engine_ms = self.answer.microseconds / 1000
        if not self._first_look[0]:
            raise NotFound(f"there is no person {person}", reason="UNKNOWN_PERSON")

    def is_unchanged(self) -> bool:
        """Returns whether nothing about this person was folded since the first query.

        Ranks may already include newer data of other people.
        """
        is_past = self._evaluation.known_at is not None
        return is_past or self._index.epoch() == self.answer.epoch or self._look() == self._first_look

    def _look(self) -> list[bytes]:
        """Returns all data of the person, for comparison."""
        evaluation = self._evaluation
        instants = (evaluation.clock.as_of_ms, LATEST_MS)
        return [*(self._index.profile(self._person, at, evaluation.known_at) for at in instants), *self._pages()]

    # conditions and values

    def verdicts(self, as_of_ms: int, roots: Sequence[Root]) -> list[bool | None]:
        """Returns True, False or unknown (None) for each root. Raises InvalidInput for an invalid pattern."""
        return self.verdicts_of_plan(serialize_plan(as_of_ms, roots))

    def verdicts_of_plan(self, message: bytes) -> list[bool | None]:
        """Returns the verdicts of the roots of a plan message."""
        evaluation = self._evaluation
        found = self._timed(
            lambda: self._index.verdicts(message, [self._person], evaluation.known_at, evaluation.limits)
        )
        return [of_root[0] for of_root in found]

    def values(self, as_of_ms: int, exprs: Sequence[Expr]) -> list[ExprValue | None]:
        """Returns the value of each expression; None is unknown."""
        then = self._evaluation_at(as_of_ms)
        return [value for (value,) in self._timed(lambda: read_values(then, self._index, exprs, [self._person]))]

    def counted_events(self, as_of_ms: int, root: Root, most: int) -> CountedEvents:
        """Returns the events that a root's condition counts, up to `most` of them."""
        (found,) = self._witnesses(as_of_ms, root, most)
        newest = [pb.TimelineEvent.FromString(event) for event in found.newest]
        oldest = None if found.oldest is None else pb.TimelineEvent.FromString(found.oldest)
        return CountedEvents(found.count, newest, oldest)

    def assignment(self, as_of_ms: int, root: Root) -> Assignment:
        """Returns events that fit the first steps of the first sequence of a root's condition."""
        (found,) = self._witnesses(as_of_ms, root, 0)
        steps, events = found.sequences[0]
        return Assignment(steps, [pb.TimelineEvent.FromString(event) for event in events])

    def _witnesses(self, as_of_ms: int, root: Root, most: int) -> list[Witnesses]:
        message, evaluation = serialize_plan(as_of_ms, [root]), self._evaluation
        return self._timed(
            lambda: self._index.witnesses(message, self._person, most, evaluation.known_at, evaluation.limits)
        )

    def count(self, as_of_ms: int, *roots: Root) -> list[int]:
        """Returns the number of people for whom each root is true."""
        answer = self._evaluation_at(as_of_ms).find_roots(self._index, roots)
        self.engine_ms += answer.microseconds / 1000
        return [answer.matched(at) for at in range(len(roots))]

    def _evaluation_at(self, as_of_ms: int) -> EvaluationContext:
        return replace(self._evaluation, clock=replace(self._evaluation.clock, as_of_ms=as_of_ms))

    def _timed(self, query: Callable[[], T]) -> T:
        began = time.perf_counter()
        try:
            found = query()
        except InvalidError as error:
            raise InvalidInput(f"the rule cannot be evaluated: {error}", reason="RULE_NOT_COUNTABLE") from error
        self.engine_ms += (time.perf_counter() - began) * 1000
        return found

    # data of the person

    def profile(self, as_of_ms: int) -> pb.GetProfileResponse:
        """Returns attributes and channels as of an instant."""
        found = self._index.profile(self._person, as_of_ms, self._evaluation.known_at)
        if found not in self._profiles:
            self._profiles[found] = pb.GetProfileResponse.FromString(found)
        return self._profiles[found]

    def attribute_changes(self, names: Sequence[str], start_ms: int, end_ms: int) -> list[int]:
        """Returns the instants in `start_ms <= at < end_ms` after which an attribute has another value than before."""
        return self._index.attribute_changes(self._person, list(names), start_ms, end_ms, self._evaluation.known_at)

    @cached_property
    def first_record_ms(self) -> int | None:
        """The instant of the first record, after which the person is in the universe."""
        return self._index.first_record_ms(self._person, self._evaluation.known_at)

    @cached_property
    def events(self) -> list[pb.TimelineEvent]:
        """The newest MOST_EVENTS events, newest first, also future ones."""
        pages = map(pb.ListTimelineResponse.FromString, self._first_look[2:])
        return [event for page in pages for event in page.events]

    @property
    def has_all_events(self) -> bool:
        """Returns whether `events` has all events of the person."""
        return not pb.ListTimelineResponse.FromString(self._first_look[-1]).next_page_token

    def _pages(self) -> Iterator[bytes]:
        token = b""
        for _ in range(MOST_EVENTS // _PAGE):
            page = self._index.timeline(self._person, token, _PAGE, self._evaluation.known_at)
            yield page
            token = pb.ListTimelineResponse.FromString(page).next_page_token.encode()
            if not token:
                return


def verdict_message(found: bool | None) -> pb.Verdict:
    return pb.VERDICT_UNKNOWN if found is None else pb.VERDICT_TRUE if found else pb.VERDICT_FALSE


def at_ms(instant: Timestamp) -> int:
    return int(instant.ToMilliseconds())
