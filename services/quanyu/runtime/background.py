"""Runs a function again and again on a thread of its own: all background work of the services goes through here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from quanyu.engine import CancelledError, CoreError
from quanyu.runtime.errors import to_domain_error

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0

# Takes the name of the work that has stopped for good, and the error that stopped it.
ReportFailure = Callable[[str, BaseException], None]


class Pause(NamedTuple):
    """Seconds between two steps: at least `least`, and up to `most` unless the loop is woken."""

    least: float
    most: float

    @classmethod
    def exactly(cls, seconds: float) -> Pause:
        """A pause that `wake` does not shorten."""
        return cls(seconds, seconds)

    @classmethod
    def until_woken(cls, at_most: float) -> Pause:
        """A pause that `wake` ends at once."""
        return cls(0.0, at_most)


NO_PAUSE = Pause(0.0, 0.0)


class BackgroundLoop:
    """Calls `step` on its own thread until `stop`; `step` returns the pause before the next call.

    An error of one of the `retried` types is logged, and `step` is called again after `retry_seconds`.
    Any other error ends the loop: it becomes `failure` and is reported once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Pause],
        report_failure: ReportFailure,
        *,
        retried: tuple[type[Exception], ...] = (),
        retry_seconds: float = RETRY_SECONDS,
        first_pause: Pause = NO_PAUSE,
    ) -> None:
        self._name = name
        self._step = step
        self._report_failure = report_failure
        self._retried = retried
        self._retry_pause = Pause.exactly(retry_seconds)
        self._first_pause = first_pause
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_woken = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> Exception | None:
        """The error that ended the loop; None while it runs, and after an orderly stop."""
        return self._failure

    @property
    def is_stopping(self) -> bool:
        """True once a stop was requested; a long step looks at it between two parts of its work."""
        return self._is_stopping

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Ends the pause; a call during a step is not lost, but causes another step."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def request_stop(self) -> None:
        """Ends the pause and prevents further steps, without waiting for the step that runs now."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Returns when the last step has ended; safe to call twice, and on a loop that was never started."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = self._first_pause
        while self._rest(pause):
            try:
                pause = self._step()
            except self._retried as error:
                self._log_retry(error)
                pause = self._retry_pause
            except Exception as error:
                self._end(error)
                return

    def _rest(self, pause: Pause) -> bool:
        """Returns whether to take another step."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, pause.least)
            self._changed.wait_for(lambda: self._is_stopping or self._is_woken, pause.most - pause.least)
            # Cleared before the step: what happens from here on wakes the loop again.
            self._is_woken = False
            return not self._is_stopping

    def _log_retry(self, error: Exception) -> None:
        if not self._is_stopping:
            cause = to_domain_error(error) if isinstance(error, CoreError) else error
            level = logging.ERROR if isinstance(error, CoreError) else logging.WARNING
            log.log(level, "%s: %s; trying again in %g s", self._name, cause, self._retry_pause.least)

    def _end(self, error: Exception) -> None:
        self._failure = error
        if not self._is_stopping:
            self._report_failure(self._name, error)
        elif not isinstance(error, CancelledError):
            log.error("%s failed while it was stopping: %s", self._name, error, exc_info=error)
