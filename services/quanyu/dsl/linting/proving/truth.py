"""Formulas over what may be so of a person, and what no person can make true.

A condition is true, false or unknown; where it is true and where it is false are two formulas of yes or no. An atom
says that a subject has one of some values, so its denial is an atom too.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from quanyu.dsl.linting.proving.ranges import Values, meet


class Subject(Protocol):
    """Hashable. What has one value of each person, which formulas speak of."""

    @property
    def domain(self) -> Values | None:
        """The values that there are; None: any of their kind."""


class Joined:
    """Its hash is taken once: formulas are looked up often and stand inside each other."""

    of: tuple[Any, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), self.of))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Atom:
    subject: Subject
    values: Values


@dataclass(frozen=True)
class All(Joined):
    of: tuple[Formula, ...]
    __hash__ = Joined.__hash__


@dataclass(frozen=True)
class Some(Joined):
    of: tuple[Formula, ...]
    __hash__ = Joined.__hash__


Formula: TypeAlias = Atom | All | Some
_LONGEST = 200  # parts of what is looked through
Facts: TypeAlias = Mapping[Subject, Values]

ALWAYS, NEVER = All(()), Some(())


def both(*parts: Formula) -> Formula:
    return _joined(All, Some, parts)


def either(*parts: Formula) -> Formula:
    return _joined(Some, All, parts)


def _joined(kind: type[All | Some], other: type[All | Some], parts: Iterable[Formula]) -> Formula:
    """Flat, without repeats, each subject in one atom."""
    flat: dict[Formula, None] = {}
    atoms: dict[Subject, list[Atom]] = defaultdict(list)
    for part in parts:
        for own in part.of if isinstance(part, kind) else (part,):
            if isinstance(own, Atom):
                atoms[own.subject].append(own)
            else:
                flat[own] = None
    kept = [*(_merged(kind, held) for held in atoms.values()), *flat]
    if other(()) in kept:
        return other(())
    kept = [part for part in kept if part != kind(())]
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def _merged(kind: type[All | Some], atoms: list[Atom]) -> Formula:
    """One atom for all of one subject."""
    subject, values = atoms[0].subject, [atom.values for atom in atoms]
    while len(values) > 1:  # in pairs, since what comes of many is long
        pairs = itertools.zip_longest(values[::2], values[1::2])
        values = [a if b is None else meet(a, b) if kind is All else ~meet(~a, ~b) for a, b in pairs]
    return atoms[0] if len(atoms) == 1 else says(subject, values[0])


def says(subject: Subject, values: Values) -> Formula:
    """The subject has one of these values."""
    if subject.domain is not None:
        if not meet(subject.domain, values):
            return NEVER
        if not meet(subject.domain, ~values):
            return ALWAYS
    return Atom(subject, values)


def denied(formula: Formula) -> Formula:
    match formula:
        case All(of=parts):
            return either(*map(denied, parts))
        case Some(of=parts):
            return both(*map(denied, parts))
        case Atom(subject=subject, values=values):
            return says(subject, ~values)


def looked_through(formula: Formula, name: Formula) -> Formula:
    """What stands behind a name, or the name itself where that is long: rules that hold each other grow without end."""
    return formula if _size(formula) <= _LONGEST else name


def _size(formula: Formula) -> int:
    return 1 if isinstance(formula, Atom) else 1 + sum(map(_size, formula.of))


@dataclass(frozen=True)
class Truth:
    """Where a condition is true and where it is false; elsewhere it is unknown."""

    true: Formula
    false: Formula

    @classmethod
    def where(cls, holds: Formula, known: Formula = ALWAYS) -> Truth:
        return cls(both(known, holds), both(known, denied(holds)))

    @property
    def unknown(self) -> Formula:
        return both(denied(self.true), denied(self.false))

    def __invert__(self) -> Truth:
        return Truth(self.false, self.true)


class Exhausted(Exception):
    """It takes too long to tell."""


class Prover:
    """`clash`: whether facts about different subjects exclude each other.

    What it says is so. It gives up on one question after so many steps, and on all further ones after so many more.
    """

    def __init__(self, clash: Callable[[Facts], bool], steps: int = 3_000, all_steps: int = 50_000) -> None:
        self._clash = clash
        self._steps, self._left = steps, all_steps
        self._memo: dict[Formula, bool | None] = {}

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    def refuted(self, *formulas: Formula) -> bool:
        """Nobody can make all of them true."""
        return self._answer(formulas) is False

    def possible(self, *formulas: Formula) -> bool:
        """Nothing keeps all of them from being true, as far as is looked."""
        return self._answer(formulas) is True

    def implies(self, formula: Formula, other: Formula) -> bool:
        return formula == other or self.refuted(formula, denied(other))

    def _answer(self, formulas: Sequence[Formula]) -> bool | None:
        """None: it takes too long to tell."""
        self._left -= sum(1 if isinstance(formula, Atom) else len(formula.of) for formula in formulas)
        if self.is_spent:
            return None
        whole = both(*formulas)
        if whole not in self._memo:
            search = _Search(self._clash, min(self._steps, self._left))
            self._memo[whole] = search.answer(whole)
            self._left -= search.taken
        return self._memo[whole]


class _Search:
    """Takes a formula apart, case by case, until the facts of each case exclude each other or one of them stands."""

    def __init__(self, clash: Callable[[Facts], bool], steps: int) -> None:
        self._clash, self._steps = clash, steps
        self.taken = 0

    def answer(self, formula: Formula) -> bool | None:
        try:
            return self.open([formula], {})
        except (Exhausted, RecursionError):
            return None

    def open(self, todo: list[Formula], facts: dict[Subject, Values]) -> bool:
        """Whether a case of these is left, as far as can be told."""
        choices: list[Some] = []
        while todo:
            self._step()
            match todo.pop():
                case All(of=parts):
                    todo.extend(parts)
                case Some() as choice:
                    choices.append(choice)
                case Atom(subject=subject, values=values):
                    held = _held(facts, subject)
                    facts[subject] = values if held is None else meet(held, values)
                    if not facts[subject]:
                        return False
        if self._clash(facts):
            return False
        open_choices = [left for choice in choices if (left := self._left(choice, facts)) is not None]
        if not open_choices:
            return True
        narrowest = min(open_choices, key=lambda parts: len(parts))
        rest: list[Formula] = [Some(parts) for parts in open_choices if parts is not narrowest]
        return any(self.open([*rest, part], dict(facts)) for part in narrowest)

    def _left(self, choice: Some, facts: dict[Subject, Values]) -> tuple[Formula, ...] | None:
        """The parts that are not excluded; None where one is so already."""
        left = []
        for part in choice.of:
            self._step()
            if isinstance(part, Atom) and (held := _held(facts, part.subject)) is not None:
                if not meet(held, ~part.values):
                    return None
                if not meet(held, part.values):
                    continue
            left.append(part)
        return tuple(left)

    def _step(self) -> None:
        self.taken += 1
        if self.taken > self._steps:
            raise Exhausted


def _held(facts: Facts, subject: Subject) -> Values | None:
    return facts.get(subject, subject.domain)
