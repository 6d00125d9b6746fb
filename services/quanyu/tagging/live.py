"""Keeps the members of the newest version of every segment up to date, in a background thread."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple, Protocol

import grpc

from quanyu.dsl import Library
from quanyu.dsl.syntax import Segment
from quanyu.engine import Answer, CoreError, Index, InvalidError, Limits, Live, LocalLog, StorageError
from quanyu.runtime.background import RETRY_SECONDS, BackgroundLoop, Pause, ReportFailure
from quanyu.runtime.errors import DataLoss, InvalidInput, Unavailable, to_domain_error
from quanyu.runtime.instants import now_ms
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.storage.event_log import read_frames
from quanyu.tagging.evaluation.context import EvaluationContext

log = logging.getLogger(__name__)

# Changes by the passage of time are found this often; arriving data wakes the thread at once.
TICK_SECONDS = 1.0
# The thread rests as long as the last step took, and at least this long: other threads need the machine too.
REST_SECONDS = 0.02
SAVE_BYTES = 16 * 2**20


class SegmentStatus(NamedTuple):
    """The state of one live segment.

    `freshness`: raw offset, arrival of the newest frame in ms and as-of in ms; None before the members are first found.
    `error`: why the segment is not fresher.
    """

    segment: str
    version: int
    member_count: int
    digest: int
    freshness: tuple[int, int, int] | None
    error: str | None


class LiveMembers(NamedTuple):
    """The members of one live segment; `roaring`: a serialized bitmap of OneIDs."""

    segment: str
    version: int
    roaring: bytes
    member_count: int
    digest: int


class WorkspaceView(Protocol):
    """The parts of a workspace that live segments use."""

    name: str
    index: Index
    library: Library

    def evaluation_at(self, as_of_ms: int) -> EvaluationContext: ...


class LiveSegments:
    """The live segments of one workspace; `follower` folds its index."""

    def __init__(
        self,
        workspace: WorkspaceView,
        follower: LogFollower,
        membership: LocalLog,
        state: str,
        limits: Limits,
        report_failure: ReportFailure,
    ) -> None:
        self.log = membership
        self._limits = limits
        self._workspace = workspace
        self._follower = follower
        self._live = _open_live(membership, state, workspace.name)
        self._rules = _CompiledSegments(workspace, self._live)
        self._unsaved_bytes = 0
        # The raw offset that the members of all segments include.
        self._reached = 0
        # Why the last step failed.
        self._failure: str | None = None
        # Whether the last step left segments for the next one.
        self._is_left = False
        # Storage errors may pass, such as a full disk; the next step starts where the last one was settled.
        self._loop = BackgroundLoop(
            f"updating live segments of {workspace.name}",
            self._update,
            report_failure,
            retried=(StorageError,),
            retry_seconds=RETRY_SECONDS,
        )
        follower.add_listener(self._loop.wake)

    def start(self) -> None:
        self._loop.start()

    def wake(self) -> None:
        """Updates the segments at once, because the published rules have changed."""
        self._loop.wake()

    def close(self) -> None:
        """Stops the thread and saves the members; the next start continues from there."""
        self._loop.request_stop()
        self._limits.cancel()
        self.log.close()
        self._loop.stop()
        try:
            if self._unsaved_bytes:
                self._save()
        except CoreError as error:
            # Nothing is lost: the next start folds the membership log again.
            log.error("live segments of %s could not be saved: %s", self._workspace.name, error)

    def statuses(self) -> list[SegmentStatus]:
        """Returns the state of every live segment, ordered by name."""
        failure, statuses = self._failure, map(SegmentStatus._make, self._live.statuses())
        return [status._replace(error=status.error or failure) for status in statuses]

    def offset(self) -> int:
        """Returns the offset of the membership log up to which `members` and `answer` include all moves."""
        return self._live.offset()

    def members(self, segments: list[str]) -> tuple[int, list[LiveMembers]]:
        """Returns the members of each segment, and the offset of the membership log from which their moves follow."""
        offset, members = self._live.members(segments)
        return offset, [LiveMembers(*one) for one in members]

    def answer(self, segments: list[str]) -> tuple[Answer, int]:
        """Returns one root for each segment, and the instant (ms) of their members.

        Raises InvalidInput before the members are first found.
        """
        try:
            return self._live.answer(segments)
        except InvalidError as error:
            raise InvalidInput(f"{error}; ask without `live`, or again in a moment", reason="NOT_LIVE_YET") from error

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Waits until the members include the raw log up to an offset. Raises Unavailable if the last step failed."""
        self._follower.wait_until(lambda: self._reached >= min_raw_offset or self._failure is not None, context)
        if self._reached < min_raw_offset:
            raise Unavailable(
                f"live segments of {self._workspace.name} are not up to date: {self._failure}", reason="LIVE_STOPPED"
            )

    def _update(self) -> Pause:
        # The first step waits until the index has caught up: older changes are not reported one by one.
        if not self._follower.has_caught_up():
            return Pause.until_woken(TICK_SECONDS)
        began = time.monotonic()
        try:
            self._step()
        except StorageError as error:
            self._fail(str(to_domain_error(error)))
            raise
        except Exception as error:
            if not self._loop.is_stopping:
                self._fail(str(error))
            raise
        rest = max(REST_SECONDS, time.monotonic() - began)
        return Pause.exactly(rest) if self._is_left else Pause(rest, rest + TICK_SECONDS)

    def _fail(self, why: str) -> None:
        self._failure = why
        self._follower.wake_waiting()

    def _step(self) -> None:
        index, as_of_ms = self._workspace.index, now_ms()
        self._rules.recompile_due(as_of_ms)
        reached = index.epoch()[0]
        frames = self._live.step(index, as_of_ms, self._limits)
        if frames is None:
            return
        for frame in frames:
            self._live.fold(self.log.append(frame), frame)
            self._unsaved_bytes += len(frame)
        self._is_left, self._failure = self._live.settle(), None
        if not self._is_left:
            self._reached = reached
        self._follower.wake_waiting()
        if self._unsaved_bytes >= SAVE_BYTES:
            self._save()

    def _save(self) -> None:
        self._live.save()
        self._unsaved_bytes = 0


class _CompiledSegments:
    """Compiles the newest version of each segment, and again whenever its plan is no longer valid."""

    def __init__(self, workspace: WorkspaceView, live: Live) -> None:
        self._workspace = workspace
        self._live = live
        self._library: Library | None = None
        self._newest: list[tuple[str, int]] = []
        self._declared: tuple[bytes, int] | None = None
        # Segment: its compiled version, and the instant (ms) at which the plan stops being valid.
        self._until: dict[str, tuple[int, float]] = {}

    def recompile_due(self, as_of_ms: int) -> None:
        """Compiles the segments that are new, or whose plan depends on a changed schema or a passed instant."""
        index, library = self._workspace.index, self._workspace.library
        declared = (index.declared(), index.earliest_ms())
        if declared != self._declared:
            self._declared = declared
            self._until.clear()
        if library is not self._library:
            self._library, self._newest = library, library.newest_of(Segment)
        due = [(name, version) for name, version in self._newest if not self._is_valid(name, version, as_of_ms)]
        if due:
            evaluation = self._workspace.evaluation_at(as_of_ms)
            for name, version in due:
                self._until[name] = version, as_of_ms + self._compile(evaluation, name, version)

    def _is_valid(self, name: str, version: int, as_of_ms: int) -> bool:
        compiled, until = self._until.get(name, (0, 0.0))
        return compiled == version and as_of_ms < until

    def _compile(self, evaluation: EvaluationContext, name: str, version: int) -> float:
        """Compiles one segment; returns for how many milliseconds the plan is valid."""
        try:
            root, valid_ms = evaluation.compile_live_segment(name, version)
            self._live.put(name, version, root)
        except (InvalidInput, InvalidError) as error:
            self._live.refuse(name, version, str(error))
            return float("inf")
        return float("inf") if valid_ms is None else valid_ms


def _open_live(membership: LocalLog, state: str, name: str) -> Live:
    live = Live(state)
    advice = f"remove state/membership of workspace {name} to rebuild it from the membership log"
    if live.offset() > membership.end():
        raise DataLoss(
            f"the membership log of {name} is shorter than state/membership, which was built from it; {advice}"
        )
    try:
        for offset, frame in read_frames(membership, live.offset()):
            live.fold(offset, frame)
    except InvalidError as error:
        raise DataLoss(f"{error}; {advice}") from error
    return live
