"""Keeps the newest version of every segment up to date, in a thread of its own."""

from __future__ import annotations

import logging
import time
from typing import Protocol

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

# Time-driven change is seen this often; what arrives is seen at once.
TICK_SECONDS = 1.0
# Between two steps there is as much rest as the step took, and so much at least: others use the machine too.
REST_SECONDS = 0.02
SAVE_BYTES = 16 * 2**20

SegmentStatus = tuple[str, int, int, int, tuple[int, int, int] | None, str | None]
SegmentMembers = tuple[str, int, bytes, int, int]


class WorkspaceView(Protocol):
    """The workspace that is asked."""

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
        # Raw offset that all segments rest on.
        self._reached = 0
        # Why the last step came to nothing.
        self._failure: str | None = None
        # Whether segments are left that were not asked yet.
        self._is_left = False
        # A full disk may be freed again; the next step begins where the last one was settled.
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
        """What was not stepped yet is at the next start."""
        self._loop.request_stop()
        self._limits.cancel()
        self.log.close()
        self._loop.stop()
        try:
            if self._unsaved_bytes:
                self._save()
        except CoreError as error:
            # Nothing is lost: the log has it, and the next start folds it.
            log.error("live segments of %s could not be saved: %s", self._workspace.name, error)

    def statuses(self) -> list[SegmentStatus]:
        """By name."""
        failure, statuses = self._failure, self._live.statuses()
        return [(*status[:5], status[5] or failure) for status in statuses]

    def offset(self) -> int:
        """Of the membership log: what lies before it is in the members that are read."""
        return self._live.offset()

    def members(self, segments: list[str]) -> tuple[int, list[SegmentMembers]]:
        """Everybody who is in, and the offset of the membership log from which on others enter and leave."""
        return self._live.members(segments)

    def answer(self, segments: list[str]) -> tuple[Answer, int]:
        """Members as they are known, and the instant that they are of. InvalidInput before they were first found."""
        try:
            return self._live.answer(segments)
        except InvalidError as error:
            raise InvalidInput(f"{error}; ask without `live`, or again in a moment", reason="NOT_LIVE_YET") from error

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Until the segments rest on so much of the raw log. Unavailable while they cannot be kept up to date."""
        self._follower.wait_until(lambda: self._reached >= min_raw_offset or self._failure is not None, context)
        if self._reached < min_raw_offset:
            raise Unavailable(
                f"live segments of {self._workspace.name} are not up to date: {self._failure}", reason="LIVE_STOPPED"
            )

    def _update(self) -> Pause:
        # Changes from before the start are no news: the first step waits for what the log held then.
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
    """The compiled rules: each is compiled again when it stands no longer."""

    def __init__(self, workspace: WorkspaceView, live: Live) -> None:
        self._workspace = workspace
        self._live = live
        self._library: Library | None = None
        self._newest: list[tuple[str, int]] = []
        self._declared: tuple[bytes, int] | None = None
        # By segment: its version, and the instant from which on it stands no longer.
        self._until: dict[str, tuple[int, float]] = {}

    def recompile_due(self, as_of_ms: int) -> None:
        index, library = self._workspace.index, self._workspace.library
        declared = (index.declared(), index.earliest_ms())
        if declared != self._declared:
            self._declared = declared
            self._until.clear()
        if library is not self._library:
            self._library, self._newest = library, library.newest_of(Segment)
        due = [(name, version) for name, version in self._newest if not self._stands(name, version, as_of_ms)]
        if due:
            evaluation = self._workspace.evaluation_at(as_of_ms)
            for name, version in due:
                self._until[name] = version, as_of_ms + self._compile(evaluation, name, version)

    def _stands(self, name: str, version: int, as_of_ms: int) -> bool:
        compiled, until = self._until.get(name, (0, 0.0))
        return compiled == version and as_of_ms < until

    def _compile(self, evaluation: EvaluationContext, name: str, version: int) -> float:
        """For how many milliseconds it stands."""
        try:
            root, stands = evaluation.compile_live_segment(name, version)
            self._live.put(name, version, root)
        except (InvalidInput, InvalidError) as error:
            self._live.refuse(name, version, str(error))
            return float("inf")
        return float("inf") if stands is None else stands


def _open_live(membership: LocalLog, state: str, name: str) -> Live:
    live = Live(state)
    advice = f"remove state/membership of workspace {name} to have it made anew from the membership log"
    if live.offset() > membership.end():
        raise DataLoss(f"the membership log of {name} is shorter than what was folded from it; {advice}")
    try:
        for offset, frame in read_frames(membership, live.offset()):
            live.fold(offset, frame)
    except InvalidError as error:
        raise DataLoss(f"{error}; {advice}") from error
    return live
