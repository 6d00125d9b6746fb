"""Folding a log: no frame is lost or repeated if the process stops or is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.engine import CorruptError, DiskFullError, LocalLog
from quanyu.runtime.errors import DeadlineExceeded, Unavailable
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.settings import Settings
from tests.seed import examples

_folders = count()


class FrameList:
    """A state that is the list of frames. `saved` holds the frames of the last snapshot."""

    def __init__(self, saved: list[bytes]) -> None:
        self.saved = saved
        self.seen = list(saved)
        self.snapshots = 0
        self.failing: list[Exception] = []
        # The number of parts to tidy.
        self.untidy_parts = 0

    def offset(self) -> int:
        return len(self.seen)

    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        if self.failing:
            raise self.failing.pop(0)
        assert [offset for offset, _ in frames] == list(range(len(self.seen), len(self.seen) + len(frames)))
        self.seen += [frame for _, frame in frames]

    def tidy(self) -> bool:
        self.untidy_parts -= 1
        return self.untidy_parts >= 0

    def snapshot(self) -> None:
        self.saved[:] = self.seen
        self.snapshots += 1


class Call:
    """The part of a gRPC call that a follower uses: its deadline."""

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


def follower_of(
    log_path: Path, state: FrameList, failures: list[BaseException] | None = None, **options: int
) -> LogFollower:
    failures = [] if failures is None else failures
    log, settings = LocalLog.follow(str(log_path)), Settings(**options)  # type: ignore[arg-type]
    return LogFollower("test", log, state, settings, lambda work, error: failures.append(error))


def wait(follower: LogFollower, state: FrameList, offset: int, seconds: float | None = 10) -> None:
    call: Any = Call(seconds)
    follower.wait_until(lambda: state.offset() >= offset, call)


@examples(40)
@given(
    frames=st.lists(st.binary(min_size=1, max_size=50), max_size=40),
    runs=st.lists(st.tuples(st.integers(0, 10), st.booleans()), max_size=6),
)
def test_the_state_has_all_frames_after_any_sequence_of_runs(
    tmp_path_factory: pytest.TempPathFactory, frames: list[bytes], runs: list[tuple[int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("follower") / str(next(_folders))
    log = LocalLog.create(str(path))
    saved: list[bytes] = []
    written = 0
    for frames_now, graceful in [*runs, (len(frames), True)]:
        for frame in frames[written : written + frames_now]:
            log.append(frame)
        written = min(written + frames_now, len(frames))
        state = FrameList(saved)
        follower = follower_of(path, state)
        follower.start()
        wait(follower, state, written)
        kept = list(saved)
        follower.close()
        if not graceful:
            saved[:] = kept  # a killed process does not write a last snapshot
    log.close()
    assert saved == frames


def test_close_folds_the_rest_of_the_log(log: LocalLog, tmp_path: Path) -> None:
    log.append(b"a")
    state = FrameList([])
    follower_of(tmp_path / "log", state).close()
    assert state.saved == [b"a"]


def test_waiting_ends_when_the_offset_is_folded(log: LocalLog, tmp_path: Path) -> None:
    state = FrameList([])
    follower = follower_of(tmp_path / "log", state)
    follower.start()
    threading.Timer(0.2, lambda: log.append(b"late")).start()
    wait(follower, state, 1)
    assert state.seen == [b"late"]
    follower.close()


def test_waiting_ends_at_the_deadline_of_the_call(log: LocalLog, tmp_path: Path) -> None:
    state = FrameList([])
    follower = follower_of(tmp_path / "log", state)
    follower.start()
    with pytest.raises(DeadlineExceeded):
        wait(follower, state, 1, seconds=0.1)
    follower.close()


def test_folding_is_retried_while_the_disk_is_full(
    log: LocalLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quanyu.runtime.log_follower.RETRY_SECONDS", 0.01)
    state, failures = FrameList([]), list[BaseException]()
    state.failing = [DiskFullError("No space left on device")] * 2
    follower = follower_of(tmp_path / "log", state, failures)
    follower.start()
    log.append(b"a")
    wait(follower, state, 1)
    assert not failures
    follower.close()


def test_damage_stops_folding_and_waiting_calls_get_the_error(log: LocalLog, tmp_path: Path) -> None:
    state, failures = FrameList([]), list[BaseException]()
    state.failing = [CorruptError("segment 7 is damaged")]
    follower = follower_of(tmp_path / "log", state, failures)
    follower.start()
    log.append(b"a")
    with pytest.raises(Unavailable, match="segment 7"):
        wait(follower, state, 1)
    assert len(failures) == 1
    follower.close()
    assert state.saved == []


def test_a_snapshot_is_written_after_a_number_of_bytes_and_when_idle(log: LocalLog, tmp_path: Path) -> None:
    state = FrameList([])
    follower = follower_of(tmp_path / "log", state, snapshot_mib=1, snapshot_idle_seconds=1)
    follower.start()
    log.append(bytes(2**20))
    wait(follower, state, 1)
    log.append(b"small")
    wait(follower, state, 2)
    assert len(state.saved) == 1
    deadline = time.monotonic() + 10
    while len(state.saved) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (len(state.saved), state.snapshots) == (2, 2)
    follower.close()
    assert state.snapshots == 2


def test_a_snapshot_follows_tidying_without_folding(log: LocalLog, tmp_path: Path) -> None:
    state = FrameList([])
    state.untidy_parts = 3
    follower = follower_of(tmp_path / "log", state)
    follower.start()
    deadline = time.monotonic() + 10
    while not state.snapshots and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state.snapshots == 1
    assert state.untidy_parts < 0
    follower.close()
    assert state.snapshots == 1


def test_folding_continues_between_two_parts_of_tidying(log: LocalLog, tmp_path: Path) -> None:
    state = FrameList([])
    state.untidy_parts = 10**9
    follower = follower_of(tmp_path / "log", state)
    follower.start()
    log.append(b"a")
    wait(follower, state, 1)
    assert state.untidy_parts > 0
    follower.close()
    assert state.saved == [b"a"]
