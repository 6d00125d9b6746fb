"""The loop that folds a log into state, and stops without losing or repeating anything."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import grpc

from quanyu.engine import CoreError, LocalLog, StorageError
from quanyu.runtime.errors import DeadlineExceeded, Unavailable, to_domain_error
from quanyu.runtime.settings import Settings

log = logging.getLogger(__name__)

FRAMES_BYTES = 8 * 2**20
WAIT_MS = 250
RETRY_SECONDS = 2.0
# A call without a deadline waits this long for the log to be folded.
PATIENCE_SECONDS = 60.0


class Fold(Protocol):
    """State that is a pure function of a log's frames, with the offset it is complete up to."""

    def offset(self) -> int:
        """Of the next frame to fold."""

    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        """Applies frames in order, the first at `offset()`."""

    def tidy(self) -> bool:
        """Does a small part of what is to be done beside folding; False if there is nothing to do."""

    def snapshot(self) -> None:
        """Writes state and offset, atomically."""


class LogFollower:
    """One thread that follows `source` into `state`. Readers of the state never wait for it, but by `wait_until`."""

    def __init__(
        self, name: str, source: LocalLog, state: Fold, settings: Settings, on_failure: Callable[[BaseException], None]
    ) -> None:
        self._name = name
        self._source = source
        # What is in the log already, which others may have seen folded before.
        self._begun = source.end()
        self._state = state
        self._snapshot_bytes = settings.snapshot_mib * 2**20
        self._snapshot_idle_seconds = settings.snapshot_idle_seconds
        self._on_failure = on_failure
        self._unsaved_bytes = 0
        # Whether something was tidied away that is still in the last snapshot.
        self._tidied = False
        self._last_fold = time.monotonic()
        self._failure: BaseException | None = None
        self._stopping = threading.Event()
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Folds what is in the log and writes a snapshot. Called once the log's writer has stopped."""
        self._stopping.set()
        self._source.close()  # ends the wait; what is there can still be read
        if self._thread.ident is not None:
            self._thread.join()
        try:
            if self._failure is None:
                while self._step(wait_ms=0):
                    pass
                if self._unsaved_bytes or self._tidied:
                    self._snapshot()
        except CoreError as error:
            # Nothing is lost: the log has it, and the next start folds it.
            log.error("%s could not finish: %s", self._name, error)

    def wait_until(self, reached: Callable[[], bool], context: grpc.ServicerContext) -> None:
        """Returns once `reached()`. DeadlineExceeded at the call's deadline, Unavailable if folding has stopped."""
        given = context.time_remaining()
        deadline = time.monotonic() + (PATIENCE_SECONDS if given is None else given)
        with self._progress:
            while not reached():
                if self._failure is not None:
                    raise Unavailable(f"{self._name} stopped folding: {self._failure}", reason="FOLDING_STOPPED")
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not context.is_active():
                    raise DeadlineExceeded(
                        "the log was not folded that far in time; ask again, or with a later deadline",
                        reason="NOT_FOLDED_YET",
                    )
                self._progress.wait(min(remaining, 1.0))

    def wait_for(self, reached: Callable[[], bool], seconds: float) -> None:
        """Returns once `reached()`, or when the time is over. It is asked at every fold and every `wake`."""
        with self._progress:
            self._progress.wait_for(reached, seconds)

    def has_begun(self) -> bool:
        """Whether all that was in the log at the start is folded."""
        return self._state.offset() >= self._begun

    def wake(self) -> None:
        """For who waits for more than what was folded."""
        with self._progress:
            self._progress.notify_all()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._step(0 if self._tidied else WAIT_MS):
                    self._snapshot_if_quiet()
                self._tidy()
            except StorageError as error:
                # A full disk may be freed again; state and offset have not moved.
                log.error("%s: %s; trying again", self._name, to_domain_error(error))
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:
                self._failure = error
                self._on_failure(error)
                return

    def _step(self, wait_ms: int) -> bool:
        """Folds the next frames; False if there were none."""
        offset = self._state.offset()
        if not self._source.wait(offset, wait_ms):
            return False
        frames = self._source.read(offset, FRAMES_BYTES)
        self._state.fold(frames)
        self._unsaved_bytes += sum(len(frame) for _, frame in frames)
        self._last_fold = time.monotonic()
        self.wake()
        if self._unsaved_bytes >= self._snapshot_bytes:
            self._snapshot()
        return True

    def _tidy(self) -> None:
        """What is tidied away is gone from the disk with a snapshot, so the last part is followed by one."""
        if self._state.tidy():
            self._tidied = True
        elif self._tidied:
            self._snapshot()

    def _snapshot_if_quiet(self) -> None:
        if self._unsaved_bytes and time.monotonic() - self._last_fold >= self._snapshot_idle_seconds:
            self._snapshot()

    def _snapshot(self) -> None:
        self._state.snapshot()
        self._unsaved_bytes, self._tidied = 0, False
