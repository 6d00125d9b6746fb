"""The parts that proofs are made of, each against the plain meaning: sets, formulas, moments."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Clock, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.linting.proving.moments import NOW, Moment, Moments
from quanyu.dsl.linting.proving.ranges import Choice, Numbers, meet
from quanyu.dsl.linting.proving.subjects import Value
from quanyu.dsl.linting.proving.truth import (
    All,
    Atom,
    Formula,
    Prover,
    Some,
    both,
    denied,
    either,
    says,
)

# --- sets of numbers ----------------------------------------------------------------------------

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


def held(numbers: Numbers) -> set[Fraction]:
    """Those of the halves between -4 and 4."""
    return {x for x in HALVES[1:-1] if numbers & Numbers.where("=", x)}


@given(SIDES, st.booleans())
def test_sets_of_numbers_are_met_and_denied_as_their_numbers_are(sides: list[Side], whole: bool) -> None:
    numbers, expected = Numbers.where(">", -100, whole), set(HALVES[1:-1])
    for cmp, value, is_denied in sides:
        side = Numbers.where(cmp, value, whole)
        numbers &= ~side if is_denied else side
        expected = {x for x in expected if HOLDS[cmp](x, value) != is_denied}
    found = held(Numbers(numbers.cuts))
    among = {x for x in HALVES if x.denominator == 1} if whole else set(HALVES)
    assert found & among == expected & among


@given(SIDES, st.sampled_from([-2, -1, 1, 2]), st.integers(-2, 2), st.booleans())
def test_scaled_numbers_are_those_whose_multiple_is_in(
    sides: list[Side], factor: int, offset: int, whole: bool
) -> None:
    numbers = Numbers.where(">", -100)
    for cmp, value, _ in sides:
        numbers &= Numbers.where(cmp, value)
    scaled = held(Numbers(numbers.scaled(Fraction(factor), Fraction(offset), whole).cuts))
    for x in HALVES[1:-1]:
        if x.denominator == 1 or not whole:
            assert (x in scaled) == bool(numbers & Numbers.where("=", factor * x + offset))


# --- formulas -----------------------------------------------------------------------------------

DOMAIN = Choice.of("a", "b", "c")
SUBJECTS = [Value("x", DOMAIN), Value("y", DOMAIN), Value("z", DOMAIN)]


def formulas() -> st.SearchStrategy[Formula]:
    values = st.frozensets(st.sampled_from("abc")).map(Choice)
    atoms = st.builds(says, st.sampled_from(SUBJECTS), values | values.map(lambda choice: ~choice))
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda parts: both(*parts)),
            st.lists(inner, max_size=4).map(lambda parts: either(*parts)),
            inner.map(denied),
        ),
        max_leaves=12,
    )


def is_so(formula: Formula, person: dict[Any, str]) -> bool:
    match formula:
        case Atom(subject=subject, values=values):
            return bool(meet(values, Choice.of(person[subject])))
        case All(of=parts):
            return all(is_so(part, person) for part in parts)
        case Some(of=parts):
            return any(is_so(part, person) for part in parts)


@given(formulas())
def test_a_formula_is_refuted_where_no_person_makes_it_so(formula: Formula) -> None:
    people = [dict(zip(SUBJECTS, values, strict=True)) for values in itertools.product("abc", repeat=3)]
    prover = Prover(lambda facts: False)
    assert prover.refuted(formula) == (not any(is_so(formula, person) for person in people))
    assert prover.possible(formula) == any(is_so(formula, person) for person in people)
    assert all(is_so(denied(formula), person) != is_so(formula, person) for person in people)


def test_a_prover_that_has_looked_long_enough_says_nothing() -> None:
    prover = Prover(lambda facts: False, all_steps=3)
    one = Choice.of(1)
    contrary = both(says(Value("x"), one), either(says(Value("y"), one), says(Value("z"), one)))
    assert not prover.refuted(contrary, contrary)
    assert not prover.refuted(says(Value("x"), Choice.of(1)), says(Value("x"), Choice.of(2)))
    assert not prover.possible(says(Value("x"), Choice.of(1)))
    assert prover.is_spent


# --- moments ------------------------------------------------------------------------------------

UNITS = ["day", "week", "month", "quarter", "year"]
DAYS = ["2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02", "2026-12-31", "2027-01-01", "2024-02-29", "2026-10-04"]
WINDOWS = [
    *(f"in last {duration}" for duration in ("5min", "23h", "1d", "2d", "7d", "30d", "31d", "32d", "366d", "800d")),
    *(f"in last {number} calendar {unit}s" for number in (1, 2, 3, 13) for unit in UNITS),
    *(f"in {word} {unit}" for word in ("last", "this") for unit in UNITS),
    *("today", "yesterday", "in 2026-11", "on 2026-11-01", "since 2026-01-01", "before 2026-03-08", "ever"),
    *("between 2026-01-01 and 2026-11-01", "between 7d and 30d ago", "between 1d and 2d ago"),
]  # fmt: skip


@cache
def window(text: str) -> s.Window:
    cond = parse_condition(f"did x {text}")
    assert isinstance(cond, s.Did)
    assert not isinstance(cond.pattern.window, s.Recurrence)
    return cond.pattern.window


@st.composite
def clocks(draw: st.DrawFn) -> tuple[Clock, Clock]:
    """One and a later one, at the turns of days of which some are of 23 or 25 hours, some begin a unit."""
    zone = draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "America/New_York", "Australia/Lord_Howe"]))
    somewhere = Clock(0, zone, draw(st.integers(1, 7)), draw(st.sampled_from([0, 240])))
    days = st.sampled_from(DAYS).map(dt.date.fromisoformat)
    moments = st.builds(lambda day, by: somewhere.day_start_ms(day) + by, days, st.sampled_from([-1, 0, 1, 46_800_000]))
    as_of, later = sorted([draw(moments), draw(moments)])
    return replace(somewhere, as_of_ms=as_of), replace(somewhere, as_of_ms=later)


@given(clocks())
def test_what_never_comes_later_does_not_now_nor_afterwards(both_clocks: tuple[Clock, Clock]) -> None:
    one, other = both_clocks
    moments = Moments(one)
    ends: dict[Moment, float] = {NOW: other.as_of_ms}
    for text in WINDOWS:
        ends.update(zip(moments.of(window(text)), resolved(text, other), strict=True))
    for a, b in itertools.permutations(ends, 2):
        if moments.never_later(a, b):
            assert ends[a] <= ends[b], (a, b)


def resolved(text: str, clock: Clock) -> tuple[float, float]:
    low, high = windows.resolve_instants(window(text), clock)
    return -float("inf") if low is None else low, float("inf") if high is None else high


@given(clocks())
def test_no_window_is_longer_nor_has_more_days_than_is_said(both_clocks: tuple[Clock, Clock]) -> None:
    one, other = both_clocks
    moments = Moments(one)
    for text in WINDOWS:
        span = moments.of_events(window(text))
        start, end = windows.resolve_event_window(window(text), other)
        if start is not None and start < end:
            assert end - start <= moments.longest_ms(span), text
            assert (other.day_of(end - 1) - other.day_of(start)).days + 1 <= moments.most_days(span), text


def test_windows_lie_in_each_other_where_calendars_say_so() -> None:
    moments = Moments(Clock(1_795_312_800_000, "Asia/Shanghai"))
    inside = [
        ("in last 7d", "in last 30d"),
        ("today", "in this week"),
        ("today", "in this year"),
        ("in this month", "in this quarter"),
        ("in this quarter", "in this year"),
        ("yesterday", "in last 7 calendar days"),
        ("in last week", "in last 13 calendar days"),
        ("in last month", "in last 2 calendar months"),
        ("in last 2 calendar quarters", "in last 9 calendar months"),
        ("in last 7 calendar days", "in last 8d"),
        ("in 2026-11", "since 2026-01-01"),
        ("since 2026-11-01", "ever"),
    ]
    for narrow, wide in inside:
        (start, end), (first, last) = moments.of_events(window(narrow)), moments.of_events(window(wide))
        assert moments.never_later(first, start), (narrow, wide)
        assert last == NOW or moments.never_later(end, last), (narrow, wide)
