"""Sets of values: of numbers as intervals, of anything else as what is in or what is not."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

# Just before a number (side 0) or just after it (side 1).
Cut: TypeAlias = tuple[Fraction | float, int]

_FROM: Cut = (-math.inf, 0)
_TO: Cut = (math.inf, 1)


@dataclass(frozen=True)
class Numbers:
    """Intervals between pairs of cuts, in order and apart. `whole`: only whole numbers are meant."""

    cuts: tuple[Cut, ...]
    whole: bool = False

    @classmethod
    def where(cls, cmp: str, value: Fraction | int, whole: bool = False) -> Numbers:
        """Those that compare so with the value."""
        before, after = _cut((value, 0), whole), _cut((value, 1), whole)
        cuts = {
            "<": (_FROM, before),
            "<=": (_FROM, after),
            ">": (after, _TO),
            ">=": (before, _TO),
            "=": (before, after),
            "!=": (_FROM, before, after, _TO),
        }[cmp]
        return cls(_apart(cuts), whole)

    @classmethod
    def of(cls, numbers: Iterable[Fraction]) -> Numbers:
        """These and no others."""
        return cls(tuple(cut for number in sorted(set(numbers)) for cut in ((number, 0), (number, 1))))

    def __and__(self, other: Numbers) -> Numbers:
        mine, theirs, shared = [*self._pairs()][::-1], [*other._pairs()][::-1], list[Cut]()
        while mine and theirs:
            low, high = max(mine[-1][0], theirs[-1][0]), min(mine[-1][1], theirs[-1][1])
            if low < high:
                shared += (low, high)
            (mine if mine[-1][1] == high else theirs).pop()
        return Numbers(tuple(shared), self.whole)

    def __invert__(self) -> Numbers:
        return Numbers(_apart((_FROM, *self.cuts, _TO)), self.whole)

    def __bool__(self) -> bool:
        return bool(self.cuts)

    def scaled(self, factor: Fraction, offset: Fraction, whole: bool) -> Numbers:
        """The x of which factor · x + offset is one of them."""
        turned = factor < 0
        cuts = [((number - offset) / factor, 1 - side if turned else side) for number, side in self.cuts]
        ordered = reversed(cuts) if turned else cuts
        return Numbers(_apart(tuple(_cut(cut, whole) for cut in ordered)), whole)

    @property
    def low(self) -> Fraction | float:
        """The least of whole numbers."""
        return self.cuts[0][0]

    @property
    def high(self) -> Fraction | float:
        """The greatest of whole numbers."""
        number, side = self.cuts[-1]
        return number if side else number - 1

    def _pairs(self) -> Iterable[tuple[Cut, Cut]]:
        return zip(self.cuts[::2], self.cuts[1::2], strict=True)


@dataclass(frozen=True)
class Choice:
    """These values, or with `others` all but these."""

    items: frozenset[Hashable]
    others: bool = False

    @classmethod
    def of(cls, *items: Hashable) -> Choice:
        return cls(frozenset(items))

    def __and__(self, other: Choice) -> Choice:
        match self.others, other.others:
            case False, False:
                return Choice(self.items & other.items)
            case False, True:
                return Choice(self.items - other.items)
            case True, False:
                return Choice(other.items - self.items)
        return Choice(self.items | other.items, True)

    def __invert__(self) -> Choice:
        return Choice(self.items, not self.others)

    def __bool__(self) -> bool:
        return self.others or bool(self.items)


Values: TypeAlias = Numbers | Choice


def meet(a: Values, b: Values) -> Values:
    """The values in both; a subject has values of one kind."""
    if isinstance(a, Numbers):
        assert isinstance(b, Numbers)
        return a & b
    assert isinstance(b, Choice)
    return a & b


TRULY, FALSELY = Choice.of(True), Choice.of(False)
EITHER_WAY = Choice.of(True, False)


def _cut(cut: Cut, whole: bool) -> Cut:
    """Between whole numbers there is one cut: before the upper one."""
    number, side = cut
    if not whole or math.isinf(number):
        return cut
    return (Fraction(math.floor(number) + 1 if side else math.ceil(number)), 0)


def _apart(cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
    """Without intervals that hold nothing, where two cuts fall together."""
    kept: list[Cut] = []
    for cut in cuts:
        if kept and kept[-1] == cut:
            kept.pop()
        else:
            kept.append(cut)
    return tuple(kept)
