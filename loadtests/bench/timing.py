"""Measures warm times. The systems take turns, so that momentary noise affects all of them."""

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
    """Times of one question in milliseconds."""

    cold: float
    median: float
    least: float
    most: float


def time_rounds(question: Question, processes: Sequence[Process], counts: Sequence[int]) -> dict[str, list[float]]:
    """Returns the milliseconds of each round by system. Raises Difference if a count differs from `counts`."""
    times: dict[str, list[float]] = {process.system: [] for process in processes}
    for _ in range(ROUNDS):
        for process in processes:
            answer = process.ask(question)
            if answer.counts != tuple(counts):
                raise Difference(f"{question.name}: {process.system} changed its answer\n  {question.rule}")
            times[process.system].append(answer.ms)
    return times


def summarise(cold: float, warm: Sequence[float]) -> Times:
    return Times(cold, median(warm), min(warm), max(warm))
