"""Who enters and leaves live segments, as a stream that can be resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
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
    """The streams of one process: each holds a thread while it is open, so there are at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = threading.BoundedSemaphore(most)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends all streams; a caller continues from its last cursor."""
        self._stopping.set()

    def watch(
        self, live: LiveSegments, request: pb.WatchMembershipRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchMembershipResponse]:
        with self._place():
            wanted = _wanted(live, request.segments)
            if request.cursor:
                offset = _offset(request.cursor, live.log.end())
            else:
                offset, whole = _whole(live, wanted)
                yield from whole
            while context.is_active() and not self._stopping.is_set():
                if not live.log.wait(offset, WAIT_MS):
                    continue
                known = live.offset()
                if known <= offset:
                    # Written, but not in the members yet: who is told of a move also reads it.
                    self._stopping.wait(FOLD_SECONDS)
                    continue
                for at, frame in live.log.read(offset, READ_BYTES):
                    if at >= known:
                        break
                    offset = at + 1
                    response = _response(pb.MembershipFrame.FromString(frame), offset, wanted)
                    if response.moves:
                        yield response

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._open.acquire(blocking=False):
            raise ResourceExhausted(
                f"{self._most} streams are open, which is as many as may be: close one, or raise QUANYU_THREADS",
                reason="TOO_MANY_STREAMS",
            )
        try:
            yield
        finally:
            self._open.release()


def _wanted(live: LiveSegments, asked: Sequence[str]) -> frozenset[str]:
    """Empty: all, also those to come. NotFound for one that is no live segment."""
    known = {status[0] for status in live.statuses()}
    for name in asked:
        if name not in known:
            raise NotFound(
                f"there is no live segment {name!r}; see ListSegments", reason="UNKNOWN_SEGMENT", segment=name
            )
    return frozenset(asked)


def _offset(cursor: str, end: int) -> int:
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) <= end):
        raise InvalidInput(
            f"cursor {cursor[:40]!r} is none of this stream; begin again without one", reason="INVALID_CURSOR"
        )
    return int(cursor)


def _whole(live: LiveSegments, wanted: frozenset[str]) -> tuple[int, list[pb.WatchMembershipResponse]]:
    """One response a segment. Only the last has a cursor: before it, not all was said."""
    statuses = {status[0]: status for status in live.statuses()}
    offset, held = live.members([name for name in statuses if not wanted or name in wanted])
    responses = []
    for name, version, roaring, count, digest in held:
        moves = pb.SegmentMoves(segment=name, version=version, entered=roaring, count=count, digest=digest)
        response = pb.WatchMembershipResponse(moves=[moves], whole=True)
        fresh = statuses[name][4]
        if fresh is not None:
            response.epoch.CopyFrom(event_pb2.Epoch(raw_offset=fresh[0], received_at=timestamp(fresh[1])))
            response.as_of.CopyFrom(timestamp(fresh[2]))
        responses.append(response)
    if responses:
        responses[-1].cursor, responses[-1].complete = str(offset), True
    return offset, responses


def _response(frame: pb.MembershipFrame, cursor: int, wanted: frozenset[str]) -> pb.WatchMembershipResponse:
    return pb.WatchMembershipResponse(
        cursor=str(cursor),
        moves=[moves for moves in frame.moves if not wanted or moves.segment in wanted],
        epoch=event_pb2.Epoch(raw_offset=frame.raw_offset, received_at=timestamp(frame.received_at_ms)),
        as_of=timestamp(frame.as_of_ms),
        complete=frame.complete,
    )
