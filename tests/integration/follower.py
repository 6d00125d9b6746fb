"""A client that follows membership streams and checks them."""

from __future__ import annotations

from collections.abc import Callable

import xxhash

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.server_process import Quanyu
from tests.integration.shop_calls import people_of
from tests.waiting import PATIENCE


class Follower:
    """Folds a membership stream and checks that it misses and repeats nothing."""

    def __init__(self, quanyu: Quanyu, *segments: str) -> None:
        self.quanyu = quanyu
        self.segments = segments
        self.cursor = ""
        self.members: dict[str, set[int]] = {}
        self.versions: dict[str, int] = {}
        # The members after each response, and its basis.
        self.said: list[tuple[pb.SegmentMoves, pb.AsOf]] = []

    def follow_until(self, reached: Callable[[], bool]) -> None:
        """Follows the stream from the last cursor until the condition is true."""
        request = pb.WatchMembershipRequest(workspace=self.quanyu.workspace, segments=self.segments, cursor=self.cursor)
        stream = self.quanyu.tagging.WatchMembership(request, timeout=PATIENCE)
        try:
            while not reached():
                self.take(next(stream))
        finally:
            stream.cancel()

    def take(self, response: pb.WatchMembershipResponse) -> None:
        self.cursor = response.cursor
        for moves in response.moves:
            if response.whole:
                self.members[moves.segment] = set()
            held = self.members.setdefault(moves.segment, set())
            entered, left = people_of(moves.entered), people_of(moves.left)
            assert not entered & held
            assert left <= held
            held |= entered
            held -= left
            assert (moves.count, moves.digest) == (len(held), digest(held))
            self.versions[moves.segment] = moves.version
            # A segment without a first evaluation has no basis.
            if response.complete and response.HasField("epoch"):
                self.said.append((moves, pb.AsOf(instant=response.as_of, known_at=response.epoch.raw_offset)))

    def holds(self, segment: str, *expected: int) -> Callable[[], bool]:
        return lambda: self.members.get(segment) == set(expected)

    def check_history(self) -> None:
        """Asserts that the members after each step equal a later evaluation with the same as-of and known-at."""
        assert self.said
        for moves, as_of in self.said:
            request = pb.EvaluateRequest(
                workspace=self.quanyu.workspace, segment=moves.segment, version=moves.version, as_of=as_of
            )
            chunks = self.quanyu.tagging.Evaluate(request, timeout=PATIENCE)
            assert digest(people_of(b"".join(chunk.roaring for chunk in chunks))) == moves.digest


def digest(persons: set[int]) -> int:
    joined = 0
    for person in persons:
        joined ^= xxhash.xxh3_64_intdigest(person.to_bytes(8, "little"))
    return joined
