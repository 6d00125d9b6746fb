"""Sets of values against plain sets of numbers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.linting.proving.value_sets import IntervalSet

HALVES = [Fraction(n, 2) for n in range(-9, 10)]
HOLDS = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
Side = tuple[str, Fraction, bool]
SIDE = st.tuples(st.sampled_from(sorted(HOLDS)), st.sampled_from(HALVES), st.booleans())
SIDES = st.lists(SIDE, min_size=1, max_size=4)


def held(numbers: IntervalSet) -> set[Fraction]:
    """Returns the halves between -4 and 4 that are in the set."""
    return {x for x in HALVES[1:-1] if numbers & IntervalSet.comparing("=", x)}


@given(SIDES, st.booleans())
def test_intersection_and_complement_agree_with_their_numbers(sides: list[Side], whole: bool) -> None:
    numbers, expected = IntervalSet.comparing(">", -100, whole), set(HALVES[1:-1])
    for cmp, value, is_denied in sides:
        side = IntervalSet.comparing(cmp, value, whole)
        numbers &= ~side if is_denied else side
        expected = {x for x in expected if HOLDS[cmp](x, value) != is_denied}
    found = held(IntervalSet(numbers.cuts))
    among = {x for x in HALVES if x.denominator == 1} if whole else set(HALVES)
    assert found & among == expected & among


@given(SIDES, st.sampled_from([-2, -1, 1, 2]), st.integers(-2, 2), st.booleans())
def test_preimage_holds_the_numbers_whose_image_is_in_the_set(
    sides: list[Side], factor: int, offset: int, whole: bool
) -> None:
    numbers = IntervalSet.comparing(">", -100)
    for cmp, value, _ in sides:
        numbers &= IntervalSet.comparing(cmp, value)
    preimage = held(IntervalSet(numbers.preimage(Fraction(factor), Fraction(offset), whole).cuts))
    for x in HALVES[1:-1]:
        if x.denominator == 1 or not whole:
            assert (x in preimage) == bool(numbers & IntervalSet.comparing("=", factor * x + offset))
