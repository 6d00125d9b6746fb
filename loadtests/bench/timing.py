"""Warm times: in turn, again and again, so that a moment's noise hits everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.bench.comparison import Difference
from loadtests.bench.processes import Process
from loadtests.bench.questions import Question

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    cold: float
    median: float
    least: float
    most: float


def rounds(question: Question, processes: Sequence[Process], counts: Sequence[int]) -> dict[str, list[float]]:
    """Milliseconds of each round, by system. Difference if an answer is not the one agreed upon."""
    times: dict[str, list[float]] = {process.system: [] for process in processes}
    for _ in range(ROUNDS):
        for process in processes:
            answer = process.ask(question)
            if answer.counts != tuple(counts):
                raise Difference(f"{question.name}: {process.system} answered otherwise before\n  {question.rule}")
            times[process.system].append(answer.ms)
    return times


def summed_up(cold: float, warm: Sequence[float]) -> Times:
    return Times(cold, median(warm), min(warm), max(warm))
