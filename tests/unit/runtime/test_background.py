"""A background loop: wake-ups, retried errors, and errors that end it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import pytest

from quanyu.engine import CancelledError, StorageError
from quanyu.runtime.background import NO_PAUSE, BackgroundLoop, Pause

# Longer than any test: a pause of this length does not end by itself.
FOREVER = 3600.0
PATIENCE = 60.0

Outcome = Pause | Exception


class Script:
    """Steps that the test ends one by one: each waits until the test sets its result."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.count = 0
        self._outcomes: queue.Queue[Outcome] = queue.Queue()

    def step(self) -> Pause:
        self.count += 1
        self.began.release()
        outcome = self._outcomes.get(timeout=PATIENCE)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def wait_for_step(self) -> None:
        assert self.began.acquire(timeout=PATIENCE), "no step began"

    def end_step(self, outcome: Outcome) -> None:
        self._outcomes.put(outcome)


class Running:
    """A loop over a script, and the errors that it reported."""

    def __init__(self, **given: object) -> None:
        self.script = Script()
        self.failures: list[tuple[str, BaseException]] = []
        self.reported = threading.Event()
        self.loop = BackgroundLoop("counting", self.script.step, self._report, **given)  # type: ignore[arg-type]

    def _report(self, name: str, error: BaseException) -> None:
        self.failures.append((name, error))
        self.reported.set()

    def stop(self) -> None:
        self.loop.request_stop()
        self.script.end_step(NO_PAUSE)
        self.loop.stop()


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(retried=(StorageError,), retry_seconds=0.0)
    made.loop.start()
    yield made
    made.stop()


def test_the_next_step_follows_a_pause_that_is_over(running: Running) -> None:
    for _ in range(3):
        running.script.wait_for_step()
        running.script.end_step(NO_PAUSE)
    running.script.wait_for_step()
    running.script.end_step(Pause(0.001, 0.002))
    running.script.wait_for_step()


def test_wake_ends_a_pause(running: Running) -> None:
    running.script.wait_for_step()
    running.script.end_step(Pause.until_woken(FOREVER))
    running.loop.wake()
    running.script.wait_for_step()


def test_a_wake_up_during_a_step_causes_another_step(running: Running) -> None:
    running.script.wait_for_step()
    running.loop.wake()
    running.script.end_step(Pause.until_woken(FOREVER))
    running.script.wait_for_step()


def test_a_wake_up_counts_once(running: Running) -> None:
    running.script.wait_for_step()
    running.loop.wake()
    running.script.end_step(Pause.until_woken(FOREVER))
    running.script.wait_for_step()
    running.script.end_step(Pause.until_woken(FOREVER))
    assert not running.script.began.acquire(timeout=0.1)


def test_wake_does_not_shorten_the_least_pause(running: Running) -> None:
    running.script.wait_for_step()
    ended = time.monotonic()
    running.script.end_step(Pause(0.1, FOREVER))
    running.loop.wake()
    running.script.wait_for_step()
    assert time.monotonic() - ended >= 0.1


def test_a_step_begins_after_every_wake_up() -> None:
    wakes, total = 0, 2000
    seen_all = threading.Event()

    def step() -> Pause:
        if wakes == total:
            seen_all.set()
        return Pause.until_woken(FOREVER)

    loop = BackgroundLoop("following", step, lambda name, error: None)
    loop.start()
    for _ in range(total):
        wakes += 1
        loop.wake()
    assert seen_all.wait(PATIENCE)
    loop.stop()


def test_stop_ends_a_pause_and_takes_no_further_step() -> None:
    running = Running()
    running.loop.start()
    running.script.wait_for_step()
    running.script.end_step(Pause.exactly(FOREVER))
    running.loop.stop()
    assert running.script.count == 1
    assert running.loop.failure is None


def test_stop_waits_for_the_step_that_runs() -> None:
    running = Running()
    running.loop.start()
    running.script.wait_for_step()
    stopper = threading.Thread(target=running.loop.stop)
    stopper.start()
    while not running.loop.is_stopping:
        time.sleep(0.001)
    assert stopper.is_alive()
    running.script.end_step(NO_PAUSE)
    stopper.join(PATIENCE)
    assert not stopper.is_alive()
    assert running.script.count == 1


def test_stop_of_a_loop_that_was_never_started_returns() -> None:
    running = Running()
    running.loop.stop()
    running.loop.stop()
    assert running.script.count == 0


def test_stop_during_the_first_pause_takes_no_step() -> None:
    running = Running(first_pause=Pause.exactly(FOREVER))
    running.loop.start()
    running.loop.stop()
    assert running.script.count == 0


def test_a_retried_error_is_logged_and_followed_by_another_step(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.script.wait_for_step()
    running.script.end_step(StorageError("log 7: the disk went away"))
    running.script.wait_for_step()
    assert "counting: log 7: the disk went away; trying again in 0 s" in caplog.messages
    assert (running.failures, running.loop.failure) == ([], None)


def test_any_other_error_ends_the_loop_and_is_reported_once(running: Running) -> None:
    broken = ValueError("broken")
    running.script.wait_for_step()
    running.script.end_step(broken)
    assert running.reported.wait(PATIENCE)
    running.loop.wake()
    running.loop.stop()
    assert running.failures == [("counting", broken)]
    assert running.loop.failure is broken
    assert running.script.count == 1


@pytest.mark.parametrize(("error", "is_logged"), [(CancelledError("query"), False), (ValueError("broken"), True)])
def test_an_error_while_stopping_is_not_reported(
    caplog: pytest.LogCaptureFixture, error: Exception, is_logged: bool
) -> None:
    running = Running()
    running.loop.start()
    running.script.wait_for_step()
    running.loop.request_stop()
    running.script.end_step(error)
    running.loop.stop()
    assert running.failures == []
    assert running.loop.failure is error
    assert bool(caplog.messages) is is_logged
