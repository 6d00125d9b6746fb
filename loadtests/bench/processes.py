"""Controls the processes of the systems from the process that runs the benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from loadtests.bench.questions import Question
from loadtests.bench.system import THREADS, People
from loadtests.bench.world import Watch, World

_STOP_SECONDS = 60
# Environment variables from which libraries read their number of threads. Other systems have their own settings.
_THREADS = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")


def limit_threads() -> None:
    """Restricts this process and its children, including Quanyu's servers, to THREADS processors."""
    os.environ |= dict.fromkeys(_THREADS, str(THREADS))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


class SystemDied(Exception):
    """The process of a system ended before it answered. Its standard error gives the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The counts of a question's parts and the time in milliseconds, or the reason why there is no answer."""

    counts: tuple[int, ...] = ()
    ms: float = 0.0
    refused: str = ""


class Process:
    """A system in its own process. A context manager that ends the process on exit."""

    def __init__(self, system: str, world: World, store: Path) -> None:
        self.system = system
        self._scratch = store / "members.npz"
        command = [
            sys.executable,
            "-m",
            "loadtests.bench.worker",
            system,
            world.scale.name,
            str(world.folder),
            str(store),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the input of the process, which ends it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def load(self, watch: Watch) -> dict[str, float]:
        return self._call("load", watch=watch)

    def open(self) -> float:
        """Opens the store and returns the time in seconds."""
        return float(self._call("open")["open_s"])

    def ask(self, question: Question) -> Answer:
        answer = self._call("ask", question=question.name)
        return Answer(tuple(answer.get("counts", ())), answer.get("ms", 0.0), answer.get("refused", ""))

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        self._call("members", question=question.name, parts=list(parts), file=str(self._scratch))
        with np.load(self._scratch) as arrays:
            people: list[People] = list(arrays.values())
        self._scratch.unlink()
        return people

    def reset_peak(self) -> None:
        self._call("reset_peak")

    def peak_bytes(self) -> int:
        return int(self._call("peak")["peak_bytes"])

    def _call(self, call: str, watch: Watch = lambda done, of: None, **given: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(json.dumps({"call": call, **given}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise SystemDied(f"{self.system} ended before the call") from None
        for line in self._process.stdout:
            answer: dict[str, Any] = json.loads(line)
            if "done" not in answer:
                return answer
            watch(answer["done"], answer["of"])
        raise SystemDied(f"{self.system} ended during the call {call} {given}")
