"""How tests wait: for a state and never for a time, with a limit that only a hanging program reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds. A machine that runs six other busy processes still answers well within it.
PATIENCE = 600


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE, pause: float = 0.01) -> None:
    """Returns as soon as `holds()` is true. AssertionError if it stays false."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"the state was not reached within {seconds} s"
        time.sleep(pause)
