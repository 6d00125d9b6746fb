"""Takes what is of erased people out of the logs, in a thread of its own.

Dead letters first, then from the newest frame to the oldest, a raw one before its resolved one: killed at any moment,
it begins again with all it needs to know, even if the raw log has to be folded anew. Only then does identity let go of
what it knew them by.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from quanyu.engine import LocalLog, Redactor, Resolver, StorageError
from quanyu.identity.ingestion_client import IngestionClient
from quanyu.runtime.background import NO_PAUSE, BackgroundLoop, Pause, ReportFailure
from quanyu.runtime.errors import Unavailable
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.storage.event_log import read_frames

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# Looked at in one go, at most; in between there is as much rest as it took.
FRAMES = 64
FRAMES_BYTES = 16 * 2**20
# Replaced in one go: every file in which one is replaced is written anew.
REPLACED_BYTES = 32 * 2**20

Frames = dict[int, bytes]


class Erasing:
    """Of one workspace, whose graph `follower` folds. It writes the resolved log; `ingestion` writes the others."""

    def __init__(
        self,
        workspace: str,
        resolver: Resolver,
        raw: LocalLog,
        resolved: LocalLog,
        rejects: LocalLog,
        follower: LogFollower,
        ingestion: IngestionClient,
        stopping: threading.Event,
        report_failure: ReportFailure,
    ) -> None:
        self._workspace = workspace
        self._resolver = resolver
        self._raw = raw
        self._resolved = resolved
        self._rejects = rejects
        self._ingestion = ingestion
        self._stopping = stopping
        self._loop = BackgroundLoop(
            f"erasing in {workspace}", self._step, report_failure, retried=(Unavailable, StorageError)
        )
        follower.add_listener(self._loop.wake)

    def start(self) -> None:
        self._loop.start()

    def close(self) -> None:
        """What is not replaced yet is after the next start."""
        self._stopping.set()
        self._loop.stop()
        self._raw.close()
        self._rejects.close()

    def _step(self) -> Pause:
        redactor = None if self._stopping.is_set() else self._resolver.redactor()
        if redactor is None:
            return Pause.until_woken(TICK_SECONDS)
        self._erase(redactor)
        return NO_PAUSE

    def _erase(self, redactor: Redactor) -> None:
        _, end = redactor.raw_offsets()
        if self._resolved.end() < end:
            raise Unavailable("the resolved log is not written that far")
        replaced = self._erase_rejects(redactor) + self._erase_records(redactor)
        if not self._stopping.is_set():
            self._resolver.forget(end)
            log.info(
                "the logs of %s hold nothing more of who was erased by raw frame %d; %d frames were replaced",
                self._workspace,
                end,
                replaced,
            )

    def _erase_records(self, redactor: Redactor) -> int:
        """How many frames were replaced."""
        raw: Frames = {}
        resolved: Frames = {}
        replaced = 0
        for pairs in self._newest_first(*redactor.raw_offsets()):
            for offset, raw_frame, resolved_frame in pairs:
                new_raw, new_resolved = redactor.redact(offset, raw_frame, resolved_frame)
                raw.update({} if new_raw is None else {offset: new_raw})
                resolved.update({} if new_resolved is None else {offset: new_resolved})
            if _bytes(raw) >= REPLACED_BYTES:
                replaced += self._replace(raw, resolved)
        return replaced + self._replace(raw, resolved)

    def _replace(self, raw: Frames, resolved: Frames) -> int:
        """Empties both."""
        count = len(raw) + len(resolved)
        if raw:
            self._ingestion.replace_raw(self._workspace, sorted(raw.items()))
        self._resolved.replace(sorted(resolved.items()))
        raw.clear()
        resolved.clear()
        return count

    def _newest_first(self, first: int, end: int) -> Iterator[list[tuple[int, bytes, bytes]]]:
        """Raw frames, each with its resolved one, some at a time, until it is to stop."""
        while end > first and not self._stopping.is_set():
            began = time.monotonic()
            raw = _before(self._raw, first, end)
            start = raw[0][0]
            resolved = read_frames(self._resolved, start)
            yield [(offset, frame, next(resolved)[1]) for offset, frame in raw]
            end = start
            self._stopping.wait(time.monotonic() - began)

    def _erase_rejects(self, redactor: Redactor) -> int:
        """How many frames were replaced."""
        redacted: Frames = {}
        replaced = 0
        for offset, frame in read_frames(self._rejects, 0):
            if self._stopping.is_set():
                break
            new = redactor.redact_rejects(frame)
            redacted.update({} if new is None else {offset: new})
            if _bytes(redacted) >= REPLACED_BYTES:
                replaced += self._replace_rejects(redacted)
        return replaced + self._replace_rejects(redacted)

    def _replace_rejects(self, redacted: Frames) -> int:
        """Empties them."""
        count = len(redacted)
        if redacted:
            self._ingestion.replace_rejects(self._workspace, sorted(redacted.items()))
        redacted.clear()
        return count


def _bytes(frames: Frames) -> int:
    return sum(map(len, frames.values()))


def _before(source: LocalLog, first: int, end: int) -> list[tuple[int, bytes]]:
    """The last frames before `end`, from `first` on: at least one, as many as fit."""
    count = min(FRAMES, end - first)
    frames = source.read(end - count, FRAMES_BYTES)
    while len(frames) < count:
        count = max(count // 2, 1)
        frames = source.read(end - count, FRAMES_BYTES)
    return frames[:count]
