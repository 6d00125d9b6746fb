"""Keeps the newest version of every segment up to date, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import grpc

from quanyu.dsl import Library
from quanyu.dsl.syntax import Segment
from quanyu.engine import Answer, CoreError, Index, InvalidError, Limits, Live, LocalLog, StorageError
from quanyu.runtime.errors import DataLoss, InvalidInput, Unavailable, to_domain_error
from quanyu.runtime.instants import now_ms
from quanyu.runtime.log_follower import RETRY_SECONDS, LogFollower
from quanyu.runtime.storage.event_log import read_frames
from quanyu.tagging.evaluation.context import Reading

log = logging.getLogger(__name__)

# Time-driven change is seen this often; what arrives is seen at once.
TICK_SECONDS = 1.0
# Between two steps there is as much rest as the step took, and so much at least: others use the machine too.
REST_SECONDS = 0.02
SAVE_BYTES = 16 * 2**20

Status = tuple[str, int, int, int, tuple[int, int, int] | None, str | None]
Held = tuple[str, int, bytes, int, int]


class Asked(Protocol):
    """The workspace that is asked."""

    name: str
    index: Index
    library: Library

    def reading(self, as_of_ms: int) -> Reading: ...


class LiveSegments:
    """Of one workspace. `worker` folds its index."""

    def __init__(
        self,
        workspace: Asked,
        worker: LogFollower,
        membership: LocalLog,
        state: str,
        limits: Limits,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self.log = membership
        self._limits = limits
        self._workspace = workspace
        self._worker = worker
        self._on_failure = on_failure
        self._live = _opened(membership, state, workspace.name)
        self._rules = _Standing(workspace, self._live)
        self._unsaved_bytes = 0
        # Raw offset that all segments rest on.
        self._reached = 0
        # Why the last step came to nothing.
        self._failure: str | None = None
        # Whether segments are left that were not asked yet.
        self._is_left = False
        self._seen: tuple[int, Library | None] = (-1, None)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live segments of {workspace.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """What was not stepped yet is at the next start."""
        self._stopping.set()
        self._limits.cancel()
        self._worker.wake()
        self.log.close()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            if self._unsaved_bytes:
                self._save()
        except CoreError as error:
            # Nothing is lost: the log has it, and the next start folds it.
            log.error("live segments of %s could not be saved: %s", self._workspace.name, error)

    def statuses(self) -> list[Status]:
        """By name."""
        failure, statuses = self._failure, self._live.statuses()
        return [(*status[:5], status[5] or failure) for status in statuses]

    def offset(self) -> int:
        """Of the membership log: what lies before it is in the members that are read."""
        return self._live.offset()

    def members(self, segments: list[str]) -> tuple[int, list[Held]]:
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
        self._worker.wait_until(lambda: self._reached >= min_raw_offset or self._failure is not None, context)
        if self._reached < min_raw_offset:
            raise Unavailable(
                f"live segments of {self._workspace.name} are not up to date: {self._failure}", reason="LIVE_STOPPED"
            )

    def _run(self) -> None:
        # Whatever was known before the start is no news.
        while not (self._stopping.is_set() or self._worker.has_begun()):
            self._worker.wait_for(lambda: self._stopping.is_set() or self._worker.has_begun(), TICK_SECONDS)
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._step()
            except StorageError as error:
                # A full disk may be freed again; the next step begins where the last one was settled.
                log.error("live segments of %s: %s; trying again", self._workspace.name, to_domain_error(error))
                self._fail(str(to_domain_error(error)))
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:
                if not self._stopping.is_set():
                    self._fail(str(error))
                    self._on_failure(error)
                return
            self._stopping.wait(max(REST_SECONDS, time.monotonic() - began))
            self._worker.wait_for(self._is_behind, TICK_SECONDS)

    def _fail(self, why: str) -> None:
        self._failure = why
        self._worker.wake()

    def _is_behind(self) -> bool:
        workspace = self._workspace
        is_seen = self._seen == (workspace.index.offset(), workspace.library)
        return self._stopping.is_set() or self._is_left or not is_seen

    def _step(self) -> None:
        index, as_of_ms = self._workspace.index, now_ms()
        self._seen = index.offset(), self._workspace.library
        self._rules.renew(as_of_ms)
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
        self._worker.wake()
        if self._unsaved_bytes >= SAVE_BYTES:
            self._save()

    def _save(self) -> None:
        self._live.save()
        self._unsaved_bytes = 0


class _Standing:
    """The compiled rules: each is compiled again when it stands no longer."""

    def __init__(self, workspace: Asked, live: Live) -> None:
        self._workspace = workspace
        self._live = live
        self._library: Library | None = None
        self._newest: list[tuple[str, int]] = []
        self._declared: tuple[bytes, int] | None = None
        # By segment: its version, and the instant from which on it stands no longer.
        self._until: dict[str, tuple[int, float]] = {}

    def renew(self, as_of_ms: int) -> None:
        index, library = self._workspace.index, self._workspace.library
        declared = (index.declared(), index.earliest_ms())
        if declared != self._declared:
            self._declared = declared
            self._until.clear()
        if library is not self._library:
            self._library, self._newest = library, library.newest_of(Segment)
        due = [(name, version) for name, version in self._newest if not self._stands(name, version, as_of_ms)]
        if due:
            reading = self._workspace.reading(as_of_ms)
            for name, version in due:
                self._until[name] = version, as_of_ms + self._compile(reading, name, version)

    def _stands(self, name: str, version: int, as_of_ms: int) -> bool:
        compiled, until = self._until.get(name, (0, 0.0))
        return compiled == version and as_of_ms < until

    def _compile(self, reading: Reading, name: str, version: int) -> float:
        """For how many milliseconds it stands."""
        try:
            root, stands = reading.standing_segment(name, version)
            self._live.put(name, version, root)
        except (InvalidInput, InvalidError) as error:
            self._live.refuse(name, version, str(error))
            return float("inf")
        return float("inf") if stands is None else stands


def _opened(membership: LocalLog, state: str, name: str) -> Live:
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
