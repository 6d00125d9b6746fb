"""Folding a log: nothing lost, nothing repeated, however often it stops and wherever it is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanyu.engine import CorruptError, DiskFullError, LocalLog
from quanyu.runtime.errors import DeadlineExceeded, Unavailable
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.settings import Settings

_folders = count()


class Listing:
    """The simplest state: the frames themselves. `saved` is what a snapshot would have on disk."""

    def __init__(self, saved: list[bytes]) -> None:
        self.saved = saved
        self.seen = list(saved)
        self.snapshots = 0
        self.failing: list[Exception] = []
        # How often there is something to tidy away.
        self.untidy = 0

    def offset(self) -> int:
        return len(self.seen)

    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        if self.failing:
            raise self.failing.pop(0)
        assert [offset for offset, _ in frames] == list(range(len(self.seen), len(self.seen) + len(frames)))
        self.seen += [frame for _, frame in frames]

    def tidy(self) -> bool:
        self.untidy -= 1
        return self.untidy >= 0

    def snapshot(self) -> None:
        self.saved[:] = self.seen
        self.snapshots += 1


class Call:
    """What a worker asks of a gRPC call."""

    def __init__(self, seconds: float | None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def time_remaining(self) -> float | None:
        return None if self._deadline is None else self._deadline - time.monotonic()

    def is_active(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LocalLog]:
    made = LocalLog.create(str(tmp_path / "log"))
    yield made
    made.close()


def worker_of(log_path: Path, state: Listing, failures: list[BaseException] | None = None, **given: int) -> LogFollower:
    failures = [] if failures is None else failures
    log, settings = LocalLog.follow(str(log_path)), Settings(**given)  # type: ignore[arg-type]
    return LogFollower("test", log, state, settings, lambda work, error: failures.append(error))


def wait(worker: LogFollower, state: Listing, offset: int, seconds: float | None = 10) -> None:
    call: Any = Call(seconds)
    worker.wait_until(lambda: state.offset() >= offset, call)


@settings(max_examples=40, deadline=None)
@given(
    frames=st.lists(st.binary(min_size=1, max_size=50), max_size=40),
    lives=st.lists(st.tuples(st.integers(0, 10), st.booleans()), max_size=6),
)
def test_state_is_the_log_after_any_life(
    tmp_path_factory: pytest.TempPathFactory, frames: list[bytes], lives: list[tuple[int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("worker") / str(next(_folders))
    log = LocalLog.create(str(path))
    saved: list[bytes] = []
    written = 0
    for frames_now, graceful in [*lives, (len(frames), True)]:
        for frame in frames[written : written + frames_now]:
            log.append(frame)
        written = min(written + frames_now, len(frames))
        state = Listing(saved)
        worker = worker_of(path, state)
        worker.start()
        wait(worker, state, written)
        kept = list(saved)
        worker.close()
        if not graceful:
            saved[:] = kept  # a killed process has written no last snapshot
    log.close()
    assert saved == frames


def test_what_is_still_in_the_log_is_folded_before_closing(log: LocalLog, tmp_path: Path) -> None:
    log.append(b"a")
    state = Listing([])
    worker_of(tmp_path / "log", state).close()
    assert state.saved == [b"a"]


def test_waiting_ends_when_the_log_has_been_folded_that_far(log: LocalLog, tmp_path: Path) -> None:
    state = Listing([])
    worker = worker_of(tmp_path / "log", state)
    worker.start()
    threading.Timer(0.2, lambda: log.append(b"late")).start()
    wait(worker, state, 1)
    assert state.seen == [b"late"]
    worker.close()


def test_waiting_ends_at_the_calls_deadline(log: LocalLog, tmp_path: Path) -> None:
    state = Listing([])
    worker = worker_of(tmp_path / "log", state)
    worker.start()
    with pytest.raises(DeadlineExceeded):
        wait(worker, state, 1, seconds=0.1)
    worker.close()


def test_a_full_disk_is_waited_for(log: LocalLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanyu.runtime.log_follower.RETRY_SECONDS", 0.01)
    state, failures = Listing([]), list[BaseException]()
    state.failing = [DiskFullError("No space left on device")] * 2
    worker = worker_of(tmp_path / "log", state, failures)
    worker.start()
    log.append(b"a")
    wait(worker, state, 1)
    assert not failures
    worker.close()


def test_damage_stops_folding_and_is_told_to_who_waits(log: LocalLog, tmp_path: Path) -> None:
    state, failures = Listing([]), list[BaseException]()
    state.failing = [CorruptError("segment 7 is damaged")]
    worker = worker_of(tmp_path / "log", state, failures)
    worker.start()
    log.append(b"a")
    with pytest.raises(Unavailable, match="segment 7"):
        wait(worker, state, 1)
    assert len(failures) == 1
    worker.close()
    assert state.saved == []


def test_a_snapshot_is_written_after_so_many_bytes_and_in_quiet(log: LocalLog, tmp_path: Path) -> None:
    state = Listing([])
    worker = worker_of(tmp_path / "log", state, snapshot_mib=1, snapshot_idle_seconds=1)
    worker.start()
    log.append(bytes(2**20))
    wait(worker, state, 1)
    log.append(b"small")
    wait(worker, state, 2)
    assert len(state.saved) == 1
    deadline = time.monotonic() + 10
    while len(state.saved) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (len(state.saved), state.snapshots) == (2, 2)
    worker.close()
    assert state.snapshots == 2


def test_what_is_tidied_away_without_folding_is_followed_by_a_snapshot(log: LocalLog, tmp_path: Path) -> None:
    state = Listing([])
    state.untidy = 3
    worker = worker_of(tmp_path / "log", state)
    worker.start()
    deadline = time.monotonic() + 10
    while not state.snapshots and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state.snapshots == 1
    assert state.untidy < 0
    worker.close()
    assert state.snapshots == 1


def test_folding_goes_on_between_two_parts_of_tidying(log: LocalLog, tmp_path: Path) -> None:
    state = Listing([])
    state.untidy = 10**9
    worker = worker_of(tmp_path / "log", state)
    worker.start()
    log.append(b"a")
    wait(worker, state, 1)
    assert state.untidy > 0
    worker.close()
    assert state.saved == [b"a"]
