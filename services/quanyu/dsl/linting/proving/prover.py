"""Decides whether formulas contradict each other, by case analysis with a limited number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quanyu.dsl.linting.proving.formulas import (
    Atom,
    Conjunction,
    Disjunction,
    Facts,
    Formula,
    Variable,
    conjunction,
    negation,
)
from quanyu.dsl.linting.proving.value_sets import ValueSet, intersect


class OutOfSteps(Exception):
    """The search reached its step limit without an answer."""


class Prover:
    """Answers whether formulas can be true together. Its positive and negative answers are correct.

    `contradict` tells whether facts about different variables exclude each other. The prover gives up on one question
    after `steps` steps, and on every further question after `all_steps` steps.
    """

    def __init__(self, contradict: Callable[[Facts], bool], steps: int = 3_000, all_steps: int = 50_000) -> None:
        self._contradict = contradict
        self._steps, self._left = steps, all_steps
        self._memo: dict[Formula, bool | None] = {}

    @property
    def is_exhausted(self) -> bool:
        return self._left <= 0

    def is_refuted(self, *formulas: Formula) -> bool:
        """Returns True if it proves that no person makes all formulas true."""
        return self._answer(formulas) is False

    def is_possible(self, *formulas: Formula) -> bool:
        """Returns True if the search finds a case in which all formulas hold without a known contradiction."""
        return self._answer(formulas) is True

    def implies(self, formula: Formula, other: Formula) -> bool:
        return formula == other or self.is_refuted(formula, negation(other))

    def _answer(self, formulas: Sequence[Formula]) -> bool | None:
        """Returns None if the step limit is reached."""
        self._left -= sum(1 if isinstance(formula, Atom) else len(formula.of) for formula in formulas)
        if self.is_exhausted:
            return None
        whole = conjunction(*formulas)
        if whole not in self._memo:
            search = _Search(self._contradict, min(self._steps, self._left))
            self._memo[whole] = search.answer(whole)
            self._left -= search.taken
        return self._memo[whole]


class _Search:
    """Splits a formula into cases until each case contradicts itself or one case remains."""

    def __init__(self, contradict: Callable[[Facts], bool], steps: int) -> None:
        self._contradict, self._steps = contradict, steps
        self.taken = 0

    def answer(self, formula: Formula) -> bool | None:
        try:
            return self.open([formula], {})
        except (OutOfSteps, RecursionError):
            return None

    def open(self, todo: list[Formula], facts: dict[Variable, ValueSet]) -> bool:
        """Returns whether some case remains without a known contradiction."""
        choices: list[Disjunction] = []
        while todo:
            self._step()
            match todo.pop():
                case Conjunction(of=parts):
                    todo.extend(parts)
                case Disjunction() as choice:
                    choices.append(choice)
                case Atom(variable=variable, values=values):
                    held = _held(facts, variable)
                    facts[variable] = values if held is None else intersect(held, values)
                    if not facts[variable]:
                        return False
        if self._contradict(facts):
            return False
        open_choices = [left for choice in choices if (left := self._left(choice, facts)) is not None]
        if not open_choices:
            return True
        narrowest = min(open_choices, key=lambda parts: len(parts))
        rest: list[Formula] = [Disjunction(parts) for parts in open_choices if parts is not narrowest]
        return any(self.open([*rest, part], dict(facts)) for part in narrowest)

    def _left(self, choice: Disjunction, facts: dict[Variable, ValueSet]) -> tuple[Formula, ...] | None:
        """Returns the operands that the facts do not exclude, or None if the facts already imply one of them."""
        left = []
        for part in choice.of:
            self._step()
            if isinstance(part, Atom) and (held := _held(facts, part.variable)) is not None:
                if not intersect(held, ~part.values):
                    return None
                if not intersect(held, part.values):
                    continue
            left.append(part)
        return tuple(left)

    def _step(self) -> None:
        self.taken += 1
        if self.taken > self._steps:
            raise OutOfSteps


def _held(facts: Facts, variable: Variable) -> ValueSet | None:
    return facts.get(variable, variable.domain)
