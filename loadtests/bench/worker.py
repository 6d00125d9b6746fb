"""Runs one system in its own process: JSON requests on standard input, JSON answers on standard output, one a line.

python -m loadtests.bench.worker SYSTEM SCALE WORLD_FOLDER STORE_FOLDER
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from loadtests.bench.questions import QUESTIONS
from loadtests.bench.system import NotAnswered, System, make
from loadtests.bench.world import SCALES, World
from quanyu.runtime.memory import return_freed_memory

_QUESTIONS = {question.name: question for question in QUESTIONS}
_WATCH_SECONDS = 0.2


def main() -> None:
    name, scale, world, store = sys.argv[1:]
    replies = _reserve_stdout()
    return_freed_memory()
    worker = Worker(make(name, World(SCALES[scale], Path(world)), Path(store)), replies)
    for line in sys.stdin:
        request = json.loads(line)
        call: Callable[..., dict[str, Any]] = getattr(worker, request.pop("call"))
        worker.say(call(**request))


class Worker:
    """The calls of the protocol. Each returns its answer."""

    def __init__(self, system: System, replies: IO[str]) -> None:
        self._system = system
        self._replies = replies
        self._said = 0.0

    def say(self, answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=self._replies, flush=True)

    def load(self) -> dict[str, Any]:
        """Loads the data and builds the maintained data. Reports {"done", "of"} first, then the seconds."""
        started = time.perf_counter()
        self._system.load(self._watch)
        loaded = time.perf_counter()
        self._system.maintain()
        return {"load_s": loaded - started, "maintain_s": time.perf_counter() - loaded, "peak_bytes": peak_bytes()}

    def open(self) -> dict[str, Any]:
        started = time.perf_counter()
        self._system.open()
        return {"open_s": time.perf_counter() - started}

    def ask(self, question: str) -> dict[str, Any]:
        """Returns counts and milliseconds, or the reason why there is no answer."""
        asked = _QUESTIONS[question]
        started = time.perf_counter()
        try:
            counts = self._system.ask(asked)
        except NotAnswered as refusal:
            return {"refused": str(refusal)}
        return {"counts": counts, "ms": (time.perf_counter() - started) * 1000}

    def members(self, question: str, parts: list[int], file: str) -> dict[str, Any]:
        """Writes the numbers of the people to a file, one array for each part."""
        np.savez(file, *self._system.members(_QUESTIONS[question], parts))
        return {}

    def reset_peak(self) -> dict[str, Any]:
        """Resets the peak of the resident memory."""
        if sys.platform == "linux":
            Path("/proc/self/clear_refs").write_text("5")
        return {}

    def peak(self) -> dict[str, Any]:
        return {"peak_bytes": peak_bytes()}

    def _watch(self, done: int, of: int) -> None:
        if time.monotonic() - self._said > _WATCH_SECONDS or done == of:
            self._said = time.monotonic()
            self.say({"done": done, "of": of})


def peak_bytes() -> int:
    """Returns the sum of the peak resident memory of this process and of its largest finished child."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    if sys.platform == "linux":
        # Unlike ru_maxrss, VmHWM can be reset and excludes the process from which this one was forked.
        lines = Path("/proc/self/status").read_text().splitlines()
        own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return (own + child) * unit


def _reserve_stdout() -> IO[str]:
    """Returns standard output, and redirects whatever libraries print to standard error."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


if __name__ == "__main__":
    main()
