"""Boolean formulas over the variables of one person.

A condition is true, false or unknown, so two formulas describe it: where it is true and where it is false. An atom
states that a variable has a value in a set, so the negation of an atom is an atom.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from quanyu.dsl.linting.proving.value_sets import ValueSet, intersect


class Variable(Protocol):
    """A hashable name for a quantity that has exactly one value for each person."""

    @property
    def domain(self) -> ValueSet | None:
        """The possible values; None if the variable can have any value of its kind."""


class CachedHash:
    """Computes the hash once, because formulas are nested and are looked up often."""

    of: tuple[Any, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), self.of))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Atom:
    variable: Variable
    values: ValueSet


@dataclass(frozen=True)
class Conjunction(CachedHash):
    of: tuple[Formula, ...]
    __hash__ = CachedHash.__hash__


@dataclass(frozen=True)
class Disjunction(CachedHash):
    of: tuple[Formula, ...]
    __hash__ = CachedHash.__hash__


Formula: TypeAlias = Atom | Conjunction | Disjunction
_MAX_INLINED = 200  # nodes of a formula
Facts: TypeAlias = Mapping[Variable, ValueSet]

TRUE, FALSE = Conjunction(()), Disjunction(())


def conjunction(*parts: Formula) -> Formula:
    return _joined(Conjunction, Disjunction, parts)


def disjunction(*parts: Formula) -> Formula:
    return _joined(Disjunction, Conjunction, parts)


def _joined(
    kind: type[Conjunction | Disjunction], other: type[Conjunction | Disjunction], parts: Iterable[Formula]
) -> Formula:
    """Flattens nested formulas of the same kind, removes duplicates and merges the atoms of each variable."""
    flat: dict[Formula, None] = {}
    atoms: dict[Variable, list[Atom]] = defaultdict(list)
    for part in parts:
        for own in part.of if isinstance(part, kind) else (part,):
            if isinstance(own, Atom):
                atoms[own.variable].append(own)
            else:
                flat[own] = None
    kept = [*(_merged(kind, held) for held in atoms.values()), *flat]
    if other(()) in kept:
        return other(())
    kept = [part for part in kept if part != kind(())]
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def _merged(kind: type[Conjunction | Disjunction], atoms: list[Atom]) -> Formula:
    """Merges the atoms of one variable into one atom."""
    variable, values = atoms[0].variable, [atom.values for atom in atoms]
    while len(values) > 1:  # in pairs, because the sets grow with each merge
        pairs = itertools.zip_longest(values[::2], values[1::2])
        values = [a if b is None else intersect(a, b) if kind is Conjunction else ~intersect(~a, ~b) for a, b in pairs]
    return atoms[0] if len(atoms) == 1 else atom(variable, values[0])


def atom(variable: Variable, values: ValueSet) -> Formula:
    """Returns the formula `variable in values`, simplified by the domain of the variable."""
    if variable.domain is not None:
        if not intersect(variable.domain, values):
            return FALSE
        if not intersect(variable.domain, ~values):
            return TRUE
    return Atom(variable, values)


def negation(formula: Formula) -> Formula:
    match formula:
        case Conjunction(of=parts):
            return disjunction(*map(negation, parts))
        case Disjunction(of=parts):
            return conjunction(*map(negation, parts))
        case Atom(variable=variable, values=values):
            return atom(variable, ~values)


def inline_or_name(formula: Formula, name: Formula) -> Formula:
    """Returns the formula, or `name` for it if it is large: formulas of rules that use rules grow exponentially."""
    return formula if _size(formula) <= _MAX_INLINED else name


def _size(formula: Formula) -> int:
    return 1 if isinstance(formula, Atom) else 1 + sum(map(_size, formula.of))


@dataclass(frozen=True)
class Truth:
    """The formulas for where a condition is true and where it is false. Elsewhere the condition is unknown."""

    true: Formula
    false: Formula

    @classmethod
    def from_formula(cls, holds: Formula, known: Formula = TRUE) -> Truth:
        return cls(conjunction(known, holds), conjunction(known, negation(holds)))

    @property
    def unknown(self) -> Formula:
        return conjunction(negation(self.true), negation(self.false))

    def __invert__(self) -> Truth:
        return Truth(self.false, self.true)
