"""Contradictions between facts against the enumeration of histories and texts."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl.linting.proving.contradictions import Contradictions, passes
from quanyu.dsl.linting.proving.formulas import TRUE, Formula, atom
from quanyu.dsl.linting.proving.timeline import NOW, Ago, Fixed, Instant, Timeline
from quanyu.dsl.linting.proving.value_sets import IS_FALSE, IS_TRUE, DiscreteSet, IntervalSet, ValueSet
from quanyu.dsl.linting.proving.variables import Before, EventSet, Known, Tally, TextTest, ValueVariable
from tests.unit.dsl.world import CLOCK

ORDERS, SCANS = EventSet((("order", TRUE),)), EventSet((("scan", TRUE),))
TOUCHES = EventSet((("order", TRUE), ("scan", TRUE)))
PAID: Formula = atom(Known(("event", "paid")), IS_TRUE)
PAID_ORDERS = EventSet((("order", PAID),))
TIMELINE = Timeline(CLOCK)


def implies(formula: Formula, other: Formula) -> bool:
    return other in (TRUE, formula)


def contradict(facts: Mapping[Any, ValueSet]) -> bool:
    return Contradictions(TIMELINE, implies)(facts)


def at_least(number: int) -> IntervalSet:
    return IntervalSet.comparing(">=", number, whole=True)


def at_most(number: int) -> IntervalSet:
    return at_least(0) & IntervalSet.comparing("<=", number, whole=True)


def orders(start: Instant, end: Instant = NOW, events: EventSet = ORDERS) -> Tally:
    return Tally("count", events, start, end)


# --- tallies --------------------------------------------------------------------------------------

DAYS = 4
limits = st.tuples(st.sampled_from([at_least, at_most]), st.integers(0, 3))
windows = st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)).filter(lambda ends: ends[0] > ends[1])


@given(st.dictionaries(windows, limits, min_size=1, max_size=4))
def test_tallies_that_contradict_each_other_have_no_history(
    limited: dict[tuple[int, int], tuple[Any, int]],
) -> None:
    """A history has 0 to 3 orders on each day; a window covers the days from `start` to `end` days ago."""
    facts = {orders(Ago(start), Ago(end)): limit(number) for (start, end), (limit, number) in limited.items()}
    histories = itertools.product(range(4), repeat=DAYS)
    is_possible = any(
        all(
            facts[orders(Ago(start), Ago(end))] & IntervalSet.comparing("=", sum(history[end:start]), whole=True)
            for start, end in limited
        )
        for history in histories
    )
    if is_possible:
        assert not contradict(facts)


@pytest.mark.parametrize(
    ("many", "few"),
    [
        (orders(Ago(7)), orders(Ago(30))),
        (orders(Ago(7)), orders(Ago(30), events=TOUCHES)),
        (orders(Ago(7), events=PAID_ORDERS), orders(Ago(7))),
        (Tally("days", ORDERS, Ago(7), NOW), orders(Ago(30))),
        (Tally("distinct", ORDERS, Ago(7), NOW, ("store",)), orders(Ago(7))),
    ],
)
def test_a_tally_cannot_be_greater_than_that_of_a_wider_set(many: Tally, few: Tally) -> None:
    assert contradict({many: at_least(3), few: at_most(2)})
    assert not contradict({many: at_least(2), few: at_most(2)})
    assert not contradict({many: at_most(2), few: at_least(3)})


@pytest.mark.parametrize(
    ("many", "few"),
    [
        (orders(Ago(7)), orders(Ago(7), events=SCANS)),
        (orders(Ago(7)), orders(Ago(7), events=PAID_ORDERS)),
        (orders(Ago(7), events=TOUCHES), orders(Ago(7))),
        (orders(Ago(7)), orders(Ago(30), Ago(1))),
        (orders(Ago(7)), Tally("days", ORDERS, Ago(7), NOW)),
        (Tally("distinct", ORDERS, Ago(7), NOW, ("store",)), Tally("distinct", ORDERS, Ago(7), NOW, ("city",))),
    ],
)
def test_a_tally_can_be_greater_than_that_of_other_events(many: Tally, few: Tally) -> None:
    assert not contradict({many: at_least(3), few: at_most(2)})


def test_empty_windows_that_cover_another_one_contradict_its_events() -> None:
    some = {orders(Ago(7)): at_least(1)}
    assert contradict({**some, orders(Ago(9), Ago(3)): at_most(0), orders(Ago(3)): at_most(0)})
    assert not contradict({**some, orders(Ago(9), Ago(4)): at_most(0), orders(Ago(3)): at_most(0)})
    assert not contradict({**some, orders(Ago(9), Ago(3)): at_most(0), orders(Ago(3)): at_most(1)})


def test_each_event_type_must_be_covered() -> None:
    some = {orders(Ago(7), events=TOUCHES): at_least(1)}
    assert contradict({**some, orders(Ago(7)): at_most(0), orders(Ago(7), events=SCANS): at_most(0)})
    assert not contradict({**some, orders(Ago(7)): at_most(0)})


# --- instants -------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=4))
def test_an_instant_cannot_be_before_one_and_not_before_a_later_one(tests: list[tuple[int, bool]]) -> None:
    facts = {Before("x", Fixed(at)): DiscreteSet.of(is_before) for at, is_before in tests}
    expected = {variable.instant: True in values.items for variable, values in facts.items()}
    is_possible = any(all((value < at.at) == before for at, before in expected.items()) for value in range(-1, 10))  # type: ignore[union-attr]
    assert contradict(facts) == (not is_possible)


def test_different_values_have_no_order() -> None:
    assert not contradict({Before("x", Fixed(1)): IS_TRUE, Before("y", Fixed(2)): IS_FALSE})


# --- texts ----------------------------------------------------------------------------------------

TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]
text_tests = st.builds(
    TextTest,
    st.just("x"),
    st.sampled_from(["contains", "starts with", "ends with"]),
    st.text("ab", min_size=1, max_size=2),
)


@given(st.dictionaries(text_tests, st.booleans(), min_size=1, max_size=4), st.none() | st.sets(st.sampled_from(TEXTS)))
def test_text_tests_that_contradict_each_other_have_no_text(
    tests: dict[TextTest, bool], among: set[str] | None
) -> None:
    facts: dict[Any, ValueSet] = {test: DiscreteSet.of(should) for test, should in tests.items()}
    if among is not None:
        facts[ValueVariable("x")] = DiscreteSet.of(*among)
    is_possible = any(
        all(passes(test, text) == should for test, should in tests.items())
        for text in (TEXTS if among is None else among)
    )
    if among is not None:
        assert contradict(facts) == (not is_possible)
    elif is_possible:
        assert not contradict(facts)


@pytest.mark.parametrize(
    ("one", "other", "is_passed"),
    [
        (("starts with", "a"), ("starts with", "b"), True),
        (("ends with", "ab"), ("ends with", "bb"), True),
        (("starts with", "ab"), ("starts with", "a"), False),
        (("starts with", "ab"), ("contains", "b"), False),
        (("ends with", "ab"), ("contains", "b"), False),
        (("contains", "ab"), ("contains", "b"), False),
    ],
)
def test_contradictory_text_tests_are_found(one: tuple[Any, str], other: tuple[Any, str], is_passed: bool) -> None:
    facts = {TextTest("x", *one): IS_TRUE, TextTest("x", *other): DiscreteSet.of(is_passed)}
    assert contradict(facts)
    assert not contradict({TextTest("x", *one): IS_TRUE, TextTest("y", *other): DiscreteSet.of(is_passed)})


def test_patterns_are_not_evaluated() -> None:
    pattern = TextTest("x", "matches", "^a")
    assert passes(pattern, "a") is None
    assert not contradict({pattern: IS_TRUE, TextTest("x", "starts with", "b"): IS_TRUE})
    assert not contradict({pattern: IS_FALSE, ValueVariable("x"): DiscreteSet.of("a")})
