"""Sets of values: intervals of numbers, and finite or cofinite sets of other values."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

# A point just before a number (side 0) or just after it (side 1).
Cut: TypeAlias = tuple[Fraction | float, int]

_FROM: Cut = (-math.inf, 0)
_TO: Cut = (math.inf, 1)


@dataclass(frozen=True)
class IntervalSet:
    """Disjoint intervals between pairs of ascending cuts. `whole` restricts the set to whole numbers."""

    cuts: tuple[Cut, ...]
    whole: bool = False

    @classmethod
    def comparing(cls, cmp: str, value: Fraction | int, whole: bool = False) -> IntervalSet:
        """Returns the numbers x with `x cmp value`."""
        before, after = _cut((value, 0), whole), _cut((value, 1), whole)
        cuts = {
            "<": (_FROM, before),
            "<=": (_FROM, after),
            ">": (after, _TO),
            ">=": (before, _TO),
            "=": (before, after),
            "!=": (_FROM, before, after, _TO),
        }[cmp]
        return cls(_drop_empty(cuts), whole)

    @classmethod
    def of(cls, numbers: Iterable[Fraction]) -> IntervalSet:
        """Returns the set of exactly these numbers."""
        return cls(tuple(cut for number in sorted(set(numbers)) for cut in ((number, 0), (number, 1))))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        mine, theirs, shared = [*self._pairs()][::-1], [*other._pairs()][::-1], list[Cut]()
        while mine and theirs:
            low, high = max(mine[-1][0], theirs[-1][0]), min(mine[-1][1], theirs[-1][1])
            if low < high:
                shared += (low, high)
            (mine if mine[-1][1] == high else theirs).pop()
        return IntervalSet(tuple(shared), self.whole)

    def __invert__(self) -> IntervalSet:
        return IntervalSet(_drop_empty((_FROM, *self.cuts, _TO)), self.whole)

    def __bool__(self) -> bool:
        return bool(self.cuts)

    def preimage(self, factor: Fraction, offset: Fraction, whole: bool) -> IntervalSet:
        """Returns the numbers x for which `factor * x + offset` is in the set."""
        is_negative = factor < 0
        cuts = [((number - offset) / factor, 1 - side if is_negative else side) for number, side in self.cuts]
        ordered = reversed(cuts) if is_negative else cuts
        return IntervalSet(_drop_empty(tuple(_cut(cut, whole) for cut in ordered)), whole)

    @property
    def low(self) -> Fraction | float:
        """The least number of a nonempty set of whole numbers."""
        return self.cuts[0][0]

    @property
    def high(self) -> Fraction | float:
        """The greatest number of a nonempty set of whole numbers."""
        number, side = self.cuts[-1]
        return number if side else number - 1

    def _pairs(self) -> Iterable[tuple[Cut, Cut]]:
        return zip(self.cuts[::2], self.cuts[1::2], strict=True)


@dataclass(frozen=True)
class DiscreteSet:
    """The values in `items`, or with `others` all values except those."""

    items: frozenset[Hashable]
    others: bool = False

    @classmethod
    def of(cls, *items: Hashable) -> DiscreteSet:
        return cls(frozenset(items))

    def __and__(self, other: DiscreteSet) -> DiscreteSet:
        match self.others, other.others:
            case False, False:
                return DiscreteSet(self.items & other.items)
            case False, True:
                return DiscreteSet(self.items - other.items)
            case True, False:
                return DiscreteSet(other.items - self.items)
        return DiscreteSet(self.items | other.items, True)

    def __invert__(self) -> DiscreteSet:
        return DiscreteSet(self.items, not self.others)

    def __bool__(self) -> bool:
        return self.others or bool(self.items)


ValueSet: TypeAlias = IntervalSet | DiscreteSet


def intersect(a: ValueSet, b: ValueSet) -> ValueSet:
    """Returns the intersection of two sets of the same kind."""
    if isinstance(a, IntervalSet):
        assert isinstance(b, IntervalSet)
        return a & b
    assert isinstance(b, DiscreteSet)
    return a & b


IS_TRUE, IS_FALSE = DiscreteSet.of(True), DiscreteSet.of(False)
BOOLEANS = DiscreteSet.of(True, False)


def _cut(cut: Cut, whole: bool) -> Cut:
    """Moves a cut between two whole numbers to just before the upper one, so that equal sets have equal cuts."""
    number, side = cut
    if not whole or math.isinf(number):
        return cut
    return (Fraction(math.floor(number) + 1 if side else math.ceil(number)), 0)


def _drop_empty(cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
    """Drops empty intervals, whose two cuts are equal."""
    kept: list[Cut] = []
    for cut in cuts:
        if kept and kept[-1] == cut:
            kept.pop()
        else:
            kept.append(cut)
    return tuple(kept)
