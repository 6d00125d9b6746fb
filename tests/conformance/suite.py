"""Runs a public test suite: translates its cases, evaluates them and compares the results with its expectations."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from quanyu.dsl import RuleError
from tests.semantics.world import Fact, World, ago, did

HERE = Path(__file__).parent
PASSES, DIFFERS, UNSUPPORTED = "passes", "differs", "unsupported"


class Unsupported(Exception):
    """A construct that the rule language does not have, with the reason."""


@dataclass(frozen=True)
class Question:
    """A condition or the text of a tag `chosen`, the facts of one person, and the expected result."""

    text: str
    expected: Any
    facts: list[Fact] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A case and its expected result; `differs` is the deliberate result of Quanyu, `because` its reason."""

    source: Any
    expected: Any
    differs: Any = None
    because: str = ""


@dataclass(frozen=True)
class Outcome:
    """The result of a case; `said` is true, false, unknown, refused or the value of a tag."""

    case: Case
    kind: str
    said: str
    reason: str = ""


def load(name: str) -> tuple[dict[str, str], list[Case]]:
    """Returns the source of a suite and its cases."""
    held = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return held["from"], [Case(**case) for case in held["cases"]]


def run_cases(cases: list[Case], translate: Callable[[Case], Question]) -> list[Outcome]:
    """Evaluates all cases in one world, with one person for each case."""
    questions: list[Question | Unsupported] = []
    for case in cases:
        try:
            questions.append(translate(case))
        except Unsupported as reason:
            questions.append(reason)
    people = {f"p{n}": [did("here", ago("1d")), *q.facts] for n, q in enumerate(questions) if isinstance(q, Question)}
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), schema=HERE / "schema.yaml", zone="UTC", **people)
        outcomes = [
            _outcome(case, question, world, n) for n, (case, question) in enumerate(zip(cases, questions, strict=True))
        ]
        world.close()
    return outcomes


def _outcome(case: Case, question: Question | Unsupported, world: World, n: int) -> Outcome:
    if isinstance(question, Unsupported):
        return Outcome(case, UNSUPPORTED, "", str(question))
    said = _evaluate(question, world, f"p{n}")
    if said == as_text(question.expected) or (said, question.expected) == ("refused", "error"):
        return Outcome(case, PASSES, said)
    return Outcome(case, DIFFERS, said, case.because)


def _evaluate(question: Question, world: World, person: str) -> str:
    try:
        if not question.text.startswith("tag "):
            return as_text(world.says(question.text)[person])
        before, world.library = world.library, type(world.library)()
        world.publish(question.text)
        value = world.value("chosen", person)
        world.library = before
        return as_text(value)
    except RuleError:
        return "refused"


def as_text(value: Any) -> str:
    if value is None:
        return "unknown"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def count_by_kind(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(outcome.kind for outcome in outcomes)
