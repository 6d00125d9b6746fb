"""Folds a log into state, without losing or repeating a frame when it stops or is killed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import grpc

from quanyu.engine import CoreError, LocalLog, StorageError
from quanyu.runtime.background import NO_PAUSE, RETRY_SECONDS, BackgroundLoop, Pause, ReportFailure
from quanyu.runtime.errors import DeadlineExceeded, Unavailable
from quanyu.runtime.settings import Settings

log = logging.getLogger(__name__)

FRAMES_BYTES = 8 * 2**20
WAIT_MS = 250
# A call without a deadline waits this long for the log to be folded.
DEFAULT_WAIT_SECONDS = 60.0


class FoldedState(Protocol):
    """State that depends on a log's frames alone, and the offset up to which it has folded them."""

    def offset(self) -> int:
        """Returns the offset of the next frame to fold."""

    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        """Applies frames in order; the first one is at `offset()`."""

    def tidy(self) -> bool:
        """Does a small part of the work beside folding; returns False if there is nothing to do."""

    def snapshot(self) -> None:
        """Writes state and offset atomically."""


class LogFollower:
    """Folds the frames of `source` into `state` on one thread; readers of the state wait only in `wait_until`."""

    def __init__(
        self, name: str, source: LocalLog, state: FoldedState, settings: Settings, report_failure: ReportFailure
    ) -> None:
        self._name = name
        self._source = source
        # The frames that the log held at the start: others may have seen them folded before.
        self._end_at_start = source.end()
        self._state = state
        self._snapshot_bytes = settings.snapshot_mib * 2**20
        self._snapshot_idle_seconds = settings.snapshot_idle_seconds
        self._unsaved_bytes = 0
        # True if the last snapshot still holds something that was tidied away.
        self._is_tidied = False
        self._last_fold = time.monotonic()
        self._listeners: list[Callable[[], None]] = []
        self._progress = threading.Condition()
        # A full disk may be freed again: until then state and offset do not move.
        self._loop = BackgroundLoop(
            f"folding {name}", self._follow, report_failure, retried=(StorageError,), retry_seconds=RETRY_SECONDS
        )

    def start(self) -> None:
        self._loop.start()

    def close(self) -> None:
        """Folds the rest of the log and writes a snapshot; called after the log's writer has stopped."""
        self._loop.request_stop()
        self._source.close()  # This ends the wait for frames; the frames can still be read.
        self._loop.stop()
        try:
            if self._loop.failure is None:
                while self._fold_next(wait_ms=0):
                    pass
                if self._unsaved_bytes or self._is_tidied:
                    self._snapshot()
        except CoreError as error:
            # The log still has everything, and the next start folds it.
            log.error("%s could not finish: %s", self._name, error)

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after each fold, on the folding thread; called before `start`."""
        self._listeners.append(listener)

    def wait_until(self, is_reached: Callable[[], bool], context: grpc.ServicerContext) -> None:
        """Returns once `is_reached()` is true; it is called after each fold and each `wake_waiting`.

        Raises DeadlineExceeded at the call's deadline, and Unavailable if folding has stopped.
        """
        given = context.time_remaining()
        deadline = time.monotonic() + (DEFAULT_WAIT_SECONDS if given is None else given)
        with self._progress:
            while not is_reached():
                failure = self._loop.failure
                if failure is not None:
                    raise Unavailable(f"{self._name} stopped folding: {failure}", reason="FOLDING_STOPPED")
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not context.is_active():
                    raise DeadlineExceeded(
                        "the log was not folded that far in time; ask again, or with a later deadline",
                        reason="NOT_FOLDED_YET",
                    )
                self._progress.wait(min(remaining, 1.0))

    def has_caught_up(self) -> bool:
        """Returns True once everything is folded that the log held at the start."""
        return self._state.offset() >= self._end_at_start

    def wake_waiting(self) -> None:
        """Makes `wait_until` ask its condition again."""
        with self._progress:
            self._progress.notify_all()

    def _follow(self) -> Pause:
        if not self._fold_next(0 if self._is_tidied else WAIT_MS):
            self._snapshot_if_quiet()
        self._tidy()
        return NO_PAUSE

    def _fold_next(self, wait_ms: int) -> bool:
        """Folds the next frames; returns False if there are none."""
        offset = self._state.offset()
        if not self._source.wait(offset, wait_ms):
            return False
        frames = self._source.read(offset, FRAMES_BYTES)
        self._state.fold(frames)
        self._unsaved_bytes += sum(len(frame) for _, frame in frames)
        self._last_fold = time.monotonic()
        self.wake_waiting()
        for listener in self._listeners:
            listener()
        if self._unsaved_bytes >= self._snapshot_bytes:
            self._snapshot()
        return True

    def _tidy(self) -> None:
        """Tidies a part; a snapshot follows the last part, because only it removes the bytes from the disk."""
        if self._state.tidy():
            self._is_tidied = True
        elif self._is_tidied:
            self._snapshot()

    def _snapshot_if_quiet(self) -> None:
        if self._unsaved_bytes and time.monotonic() - self._last_fold >= self._snapshot_idle_seconds:
            self._snapshot()

    def _snapshot(self) -> None:
        self._state.snapshot()
        self._unsaved_bytes, self._is_tidied = 0, False
