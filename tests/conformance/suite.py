"""A suite of somebody else's cases: translated, asked of the real engine, compared with what their source expects."""

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
    """A construct that the rule language does not have; says why."""


@dataclass(frozen=True)
class Question:
    """A condition, or the text of a tag `chosen`, about a person with these facts. `wanted`: what is expected."""

    text: str
    wanted: Any
    facts: list[Fact] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """`source`: as the suite has it, with what it expects. `differs`, `because`: what we say instead, and why."""

    source: Any
    expected: Any
    differs: Any = None
    because: str = ""


@dataclass(frozen=True)
class Outcome:
    """`said`: true, false, unknown or refused; of a tag its value."""

    case: Case
    kind: str
    said: str
    reason: str = ""


def load(name: str) -> tuple[dict[str, str], list[Case]]:
    """Where the suite comes from, and its cases."""
    held = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return held["from"], [Case(**case) for case in held["cases"]]


def judged(cases: list[Case], translate: Callable[[Case], Question]) -> list[Outcome]:
    """Every case in one world, a person each."""
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
    said = _said(question, world, f"p{n}")
    if said == spoken(question.wanted) or (said, question.wanted) == ("refused", "error"):
        return Outcome(case, PASSES, said)
    return Outcome(case, DIFFERS, said, case.because)


def _said(question: Question, world: World, person: str) -> str:
    try:
        if not question.text.startswith("tag "):
            return spoken(world.says(question.text)[person])
        before, world.library = world.library, type(world.library)()
        world.publish(question.text)
        value = world.value("chosen", person)
        world.library = before
        return spoken(value)
    except RuleError:
        return "refused"


def spoken(value: Any) -> str:
    if value is None:
        return "unknown"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def counted(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(outcome.kind for outcome in outcomes)
