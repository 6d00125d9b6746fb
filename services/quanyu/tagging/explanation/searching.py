"""Numbers that the engine compares with but does not tell, found by asking it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quanyu.tagging.explanation.one_person import Json, OnePerson

# Of a range at each step, all asked in one plan.
_PARTS = 32


@dataclass
class Search:
    """For the greatest x in `low <= x < high` at which `reached(x)`, a condition of a plan, is true.

    It is true up to there and not beyond; at `low` it is taken to be. What is found is told in `unit`s.
    """

    low: int
    high: int
    reached: Callable[[int], Json]
    unit: int = 1

    def steps(self) -> list[int]:
        """Numbers to ask about, ascending: they part the range evenly."""
        size = self.high - self.low
        return sorted({self.low + size * part // _PARTS for part in range(1, _PARTS)} - {self.low})

    def narrow(self, steps: Sequence[int], reached: Sequence[bool]) -> None:
        passed = [at for at, is_reached in zip(steps, reached, strict=True) if is_reached]
        missed = [at for at, is_reached in zip(steps, reached, strict=True) if not is_reached]
        self.low = max([self.low, *passed])
        self.high = min([self.high, *missed])


def search(person: OnePerson, as_of_ms: int, searches: Sequence[Search]) -> list[int]:
    """What each finds, as of an instant; they go on side by side."""
    while going := [(one, one.steps()) for one in searches if one.high - one.low > 1]:
        said = iter(person.holding(as_of_ms, [one.reached(at) for one, steps in going for at in steps]))
        for one, steps in going:
            one.narrow(steps, [next(said) for _ in steps])
    return [one.low * one.unit for one in searches]
