"""Compares the answers of the systems: all must select the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loadtests.bench.processes import Answer, Process
from loadtests.bench.questions import Question
from loadtests.bench.system import People

# For a question with many parts, the number of parts to compare person by person. The counts of all parts are compared.
_PARTS = 10
_SHOWN = 5


class Difference(Exception):
    """Two systems give different answers to a question."""


def compare(question: Question, processes: Sequence[Process], *, by_person: bool) -> dict[str, Answer]:
    """Returns the first, cold answer of each system. Raises Difference if the answers differ."""
    answers = {process.system: process.ask(question) for process in processes}
    answering = [process for process in processes if not answers[process.system].refused]
    for process in answering[1:]:
        _compare_counts(question, answering[0].system, process.system, answers)
    if by_person:
        _compare_members(question, answering)
    return answers


def _compare_counts(question: Question, one: str, other: str, answers: Mapping[str, Answer]) -> None:
    for part, (a, b) in enumerate(zip(answers[one].counts, answers[other].counts, strict=True)):
        if a != b:
            what = _named(question, part)
            raise Difference(f"{what}: {a:,} people by {one}, {b:,} by {other}\n  {question.rule}")


def _compare_members(question: Question, processes: Sequence[Process]) -> None:
    parts = range(0, question.parts, -(-question.parts // _PARTS))
    one, *others = processes
    expected = one.members(question, parts)
    for other in others:
        for part, a, b in zip(parts, expected, other.members(question, parts), strict=True):
            if not np.array_equal(a, b):
                raise Difference(
                    f"{_named(question, part)}: different people\n  {question.rule}\n"
                    f"  by {one.system} only: {_some(np.setdiff1d(a, b))}\n"
                    f"  by {other.system} only: {_some(np.setdiff1d(b, a))}"
                )


def _named(question: Question, part: int) -> str:
    return question.name if question.parts == 1 else f"{question.name}, part {part}"


def _some(people: People) -> str:
    shown = ", ".join(str(number) for number in people[:_SHOWN])
    return f"{len(people):,} people{', such as ' * bool(shown)}{shown}"
