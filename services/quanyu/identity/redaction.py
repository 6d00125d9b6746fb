"""Removes erased people from the logs, in a thread of its own.

Redacts dead letters first, then frames from the newest to the oldest, each raw frame before its resolved frame. After a
kill at any moment, it starts again with all the data that it needs, even if the raw log is folded again. Finally the
identity graph forgets the identifiers of the erased people.
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
# The maximum that is read at once; each read is followed by a pause of the same length.
FRAMES = 64
FRAMES_BYTES = 16 * 2**20
# The bytes that are replaced at once: each replacement rewrites whole files.
REPLACED_BYTES = 32 * 2**20

Frames = dict[int, bytes]


class LogRedaction:
    """Redacts the logs of one workspace. Writes the resolved log itself; `ingestion` writes the other logs."""

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
            f"redacting the logs of {workspace}", self._step, report_failure, retried=(Unavailable, StorageError)
        )
        follower.add_listener(self._loop.wake)

    def start(self) -> None:
        self._loop.start()

    def close(self) -> None:
        """Stops; the next start continues."""
        self._stopping.set()
        self._loop.stop()
        self._raw.close()
        self._rejects.close()

    def _step(self) -> Pause:
        redactor = None if self._stopping.is_set() else self._resolver.redactor()
        if redactor is None:
            return Pause.until_woken(TICK_SECONDS)
        self._redact(redactor)
        return NO_PAUSE

    def _redact(self, redactor: Redactor) -> None:
        _, end = redactor.raw_offsets()
        if self._resolved.end() < end:
            raise Unavailable("the resolved log does not contain the erasure yet")
        replaced = self._redact_rejects(redactor) + self._redact_records(redactor)
        if not self._stopping.is_set():
            self._resolver.forget(end)
            log.info(
                "the logs of %s contain no more data of people erased before raw frame %d; %d frames were replaced",
                self._workspace,
                end,
                replaced,
            )

    def _redact_records(self, redactor: Redactor) -> int:
        """Redacts frames; returns how many were replaced."""
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
        """Replaces frames and empties both collections; returns how many were replaced."""
        count = len(raw) + len(resolved)
        if raw:
            self._ingestion.replace_raw(self._workspace, sorted(raw.items()))
        self._resolved.replace(sorted(resolved.items()))
        raw.clear()
        resolved.clear()
        return count

    def _newest_first(self, first: int, end: int) -> Iterator[list[tuple[int, bytes, bytes]]]:
        """Yields raw frames with their resolved frames in chunks, newest first, until stopped."""
        while end > first and not self._stopping.is_set():
            began = time.monotonic()
            raw = _before(self._raw, first, end)
            start = raw[0][0]
            resolved = read_frames(self._resolved, start)
            yield [(offset, frame, next(resolved)[1]) for offset, frame in raw]
            end = start
            self._stopping.wait(time.monotonic() - began)

    def _redact_rejects(self, redactor: Redactor) -> int:
        """Redacts frames; returns how many were replaced."""
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
        """Replaces frames and empties the collection; returns how many were replaced."""
        count = len(redacted)
        if redacted:
            self._ingestion.replace_rejects(self._workspace, sorted(redacted.items()))
        redacted.clear()
        return count


def _bytes(frames: Frames) -> int:
    return sum(map(len, frames.values()))


def _before(source: LocalLog, first: int, end: int) -> list[tuple[int, bytes]]:
    """Returns the last frames before `end`, from `first` on: at least one, and as many as fit."""
    count = min(FRAMES, end - first)
    frames = source.read(end - count, FRAMES_BYTES)
    while len(frames) < count:
        count = max(count // 2, 1)
        frames = source.read(end - count, FRAMES_BYTES)
    return frames[:count]
