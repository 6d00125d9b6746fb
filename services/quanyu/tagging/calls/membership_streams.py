"""Streams of the moves into and out of live segments; a caller resumes one with its last cursor."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput, NotFound, ResourceExhausted
from quanyu.runtime.instants import timestamp
from quanyu.runtime.storage.event_log import READ_BYTES
from quanyu.tagging.live import LiveSegments

WAIT_MS = 250
FOLD_SECONDS = 0.002


class MembershipStreams:
    """The open streams of one process; each holds a thread, so at most `most` are open at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.BoundedSemaphore(most)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends all streams; a caller continues from its last cursor."""
        self._stopping.set()

    def watch(
        self, live: LiveSegments, request: pb.WatchMembershipRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchMembershipResponse]:
        """Yields all members first, unless the request has a cursor, and then every move."""
        with self._hold_stream():
            wanted = _wanted_segments(live, request.segments)
            if request.cursor:
                offset = _parse_cursor(request.cursor, live.log.end())
            else:
                offset, responses = _all_members(live, wanted)
                yield from responses
            while context.is_active() and not self._stopping.is_set():
                if live.log.wait(offset, WAIT_MS):
                    offset = yield from self._new_moves(live, offset, wanted)

    def _new_moves(
        self, live: LiveSegments, offset: int, wanted: frozenset[str]
    ) -> Generator[pb.WatchMembershipResponse, None, int]:
        """Yields the moves from an offset of the membership log on; returns the offset after them."""
        folded = live.offset()
        if folded <= offset:
            # The frame is written but not folded: a caller that sees a move must also find it in the members.
            self._stopping.wait(FOLD_SECONDS)
            return offset
        for at, frame in live.log.read(offset, READ_BYTES):
            if at >= folded:
                break
            offset = at + 1
            response = _moves_response(pb.MembershipFrame.FromString(frame), offset, wanted)
            if response.moves:
                yield response
        return offset

    @contextmanager
    def _hold_stream(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise ResourceExhausted(
                f"all {self._most} streams of this server are open: close one, or raise QUANYU_THREADS",
                reason="TOO_MANY_STREAMS",
            )
        try:
            yield
        finally:
            self._free.release()


def _wanted_segments(live: LiveSegments, names: Sequence[str]) -> frozenset[str]:
    """Checks the names. An empty set means all segments, also those published later.

    Raises NotFound if a name is not that of a live segment.
    """
    known = {status.segment for status in live.statuses()}
    for name in names:
        if name not in known:
            raise NotFound(
                f"there is no live segment {name!r}; see ListSegments", reason="UNKNOWN_SEGMENT", segment=name
            )
    return frozenset(names)


def _parse_cursor(cursor: str, end: int) -> int:
    """Returns the offset in the log of moves that a cursor states.

    Raises InvalidInput if it is not a number or is beyond `end`.
    """
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) <= end):
        raise InvalidInput(
            f"{cursor[:40]!r} is not a cursor of this stream; start again without a cursor", reason="INVALID_CURSOR"
        )
    return int(cursor)


def _all_members(live: LiveSegments, wanted: frozenset[str]) -> tuple[int, list[pb.WatchMembershipResponse]]:
    """Returns a response for each segment with all its members, and the offset from which its moves follow.

    Only the last response has a cursor: before it, the caller does not have all members.
    """
    statuses = {status.segment: status for status in live.statuses()}
    offset, segments = live.members([name for name in statuses if not wanted or name in wanted])
    responses = []
    for one in segments:
        moves = pb.SegmentMoves(
            segment=one.segment, version=one.version, entered=one.roaring, count=one.member_count, digest=one.digest
        )
        response = pb.WatchMembershipResponse(moves=[moves], whole=True)
        freshness = statuses[one.segment].freshness
        if freshness is not None:
            raw_offset, received_at_ms, as_of_ms = freshness
            response.epoch.CopyFrom(event_pb2.Epoch(raw_offset=raw_offset, received_at=timestamp(received_at_ms)))
            response.as_of.CopyFrom(timestamp(as_of_ms))
        responses.append(response)
    if responses:
        responses[-1].cursor, responses[-1].complete = str(offset), True
    return offset, responses


def _moves_response(frame: pb.MembershipFrame, cursor: int, wanted: frozenset[str]) -> pb.WatchMembershipResponse:
    return pb.WatchMembershipResponse(
        cursor=str(cursor),
        moves=[moves for moves in frame.moves if not wanted or moves.segment in wanted],
        epoch=event_pb2.Epoch(raw_offset=frame.raw_offset, received_at=timestamp(frame.received_at_ms)),
        as_of=timestamp(frame.as_of_ms),
        complete=frame.complete,
    )
