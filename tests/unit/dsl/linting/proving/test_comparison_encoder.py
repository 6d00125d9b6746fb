"""Tests of values as formulas: comparisons, lists, sets, texts and points in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving import Site
from quanyu.dsl.linting.proving.comparison_encoder import ComparisonEncoder
from quanyu.dsl.linting.proving.formulas import FALSE, TRUE, atom, negation
from quanyu.dsl.linting.proving.timeline import ALL_TIME, NOW, Ago, Fixed, Timeline
from quanyu.dsl.linting.proving.value_encoder import no_events, some_events
from quanyu.dsl.linting.proving.value_sets import IS_TRUE
from quanyu.dsl.linting.proving.variables import Before
from tests.unit.dsl.linting.proving.proofs import (
    are_equivalent,
    bound_condition,
    encode,
    implies,
    is_never_unknown,
    make_encoder,
)
from tests.unit.dsl.world import CLOCK

HOLDS = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
signs = st.sampled_from(sorted(HOLDS))
numbers = st.integers(-6, 6).map(lambda number: number / 2)
LEVELS = ["bronze", "silver", "gold"]


def comparison_encoder() -> ComparisonEncoder:
    return ComparisonEncoder(make_encoder().values, Timeline(CLOCK), Timeline(CLOCK, days=True))


def is_decided(fact: str, test: str) -> bool:
    """Returns whether the fact makes the test true; if not, it must make it false."""
    encoder = make_encoder()
    given_fact, truth = encode(encoder, fact).true, encode(encoder, test)
    is_true, is_false = (encoder.prover.implies(given_fact, part) for part in (truth.true, truth.false))
    assert is_true != is_false
    return is_true


@given(numbers, signs, numbers)
def test_a_comparison_of_a_number_has_the_value_of_the_numbers(points: float, sign: str, limit: float) -> None:
    assert is_decided(f"points = {points}", f"points {sign} {limit}") == HOLDS[sign](points, limit)
    assert is_decided(f"points = {points}", f"{limit} {sign} points") == HOLDS[sign](limit, points)
    assert is_decided(f"points = {points}", f"points + 1 {sign} {limit} - points") == HOLDS[sign](
        points + 1, limit - points
    )


@given(numbers, numbers, numbers)
def test_a_range_of_numbers_contains_both_ends(points: float, one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert is_decided(f"points = {points}", f"points between {low} and {high}") == (low <= points <= high)


@given(numbers, st.lists(numbers, min_size=1, max_size=3))
def test_a_list_of_numbers_contains_its_items(points: float, items: list[float]) -> None:
    listed = ", ".join(map(str, items))
    assert is_decided(f"points = {points}", f"points in [{listed}]") == (points in items)
    assert is_decided(f"points = {points}", f"points not in [{listed}]") == (points not in items)


@given(st.sampled_from(LEVELS), signs, st.sampled_from(LEVELS))
def test_c7_an_ordered_enum_is_compared_in_its_declared_order(level: str, sign: str, limit: str) -> None:
    expected = HOLDS[sign](LEVELS.index(level), LEVELS.index(limit))
    assert is_decided(f"level = {level}", f"level {sign} {limit}") == expected


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("city in ['a', 'b']", "city = 'a' or city = 'b'"),
        ("city not in ['a', 'b']", "city != 'a' and city != 'b'"),
        ("city = 'ＡＢ'", "city = 'AB'"),
        ("points not between 3 and 5", "points < 3 or points > 5"),
        ("points is known", "not (points is unknown)"),
        ("tastes in ['spicy', 'vegan']", "tastes has any ['spicy', 'vegan']"),
        ("tastes has all ['spicy', 'vegan']", "tastes has any ['spicy'] and tastes has any ['vegan']"),
        ("tastes has none ['spicy']", "tastes not in ['spicy']"),
        ("signup_at between 2026-01-01 and 2026-01-31", "signup_at >= 2026-01-01 and signup_at <= 2026-01-31"),
        ("signup_at before 2026-02-01", "signup_at < 2026-02-01"),
        ("renewal = 2026-01-31", "renewal between 2026-01-31 and 2026-01-31"),
        ("renewal in 2026-01", "renewal between 2026-01-01 and 2026-01-31"),
        ("last_order between 7d and 30d", "last_order >= 7d and last_order <= 30d"),
        ("survey.a = 3", "survey.a >= 3 and survey.a <= 3"),
        ("(points default 3) > 2", "points > 2 or points is unknown"),
        ("(points default 3) > 4", "points > 4 and points is known"),
    ],
)
def test_tests_with_the_same_true_cases_imply_each_other(text: str, other: str) -> None:
    assert implies(text, other)
    assert implies(other, text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("city starts with 'ab'", "city contains 'b'"),
        ("city = 'abc'", "city ends with 'bc'"),
        ("city ends with 'b'", "city contains ''"),
        ("tastes has all ['spicy', 'vegan']", "tastes has any ['spicy']"),
        ("signup_at in last 7d", "signup_at in last 30d"),
        ("signup_at <= 2026-01-31", "signup_at < 2026-02-02"),
        ("signup_at = 2026-01-31", "signup_at in 2026-01"),
        ("renewal < 2026-01-01", "renewal <= 2026-01-01"),
        ("last_order < 7d", "did order in last 7d"),
        ("last_order > 7d", "did not order in last 7d"),
        ("first_order > 7d", "did order"),
        ("balance > 99.99", "balance > 99.98"),
    ],
)
def test_a_narrower_test_implies_the_wider_one(text: str, other: str) -> None:
    assert implies(text, other)
    assert not implies(other, text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("survey.a > survey.b + 0", "survey.a > survey.c + 0"),
        ("city contains 'a'", "city contains 'b'"),
        ("city matches '^a'", "city starts with 'a'"),
        ("survey.a = 3", "survey.a = '3'"),
        ("signup_at in last 7d", "signup_at in this week"),
    ],
)
def test_different_tests_do_not_imply_each_other(text: str, other: str) -> None:
    assert not implies(text, other)
    assert not implies(other, text)


@pytest.mark.parametrize(("sign", "flipped"), [("<", ">"), ("<=", ">="), ("=", "="), ("!=", "!=")])
def test_two_values_of_a_person_are_compared_by_their_order(sign: str, flipped: str) -> None:
    one, other = "churn_risk", "points"
    assert are_equivalent(f"{one} {sign} {other}", f"{other} {flipped} {one}")
    assert not implies(f"{one} {sign} {other}", f"{one} > {other} and {one} < {other}")
    assert implies(f"{one} < {other}", f"{one} <= {other} and {one} != {other}")


def test_a_value_equals_itself() -> None:
    encoder = make_encoder()
    assert encode(encoder, "city = city").false == FALSE
    assert encode(encoder, "points != points").true == FALSE


def test_u3_a_known_member_decides_a_test_with_an_unknown_item() -> None:
    encoder = make_encoder()
    truth = encode(encoder, "tier in ['a', level]")
    assert encoder.prover.implies(encode(encoder, "tier = 'a'").true, truth.true)
    undecided = encode(encoder, "tier = 'b' and level is unknown").true
    assert encoder.prover.implies(undecided, truth.unknown)


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("points is known", True),
        ("points is unknown", True),
        ("(points default 0) > 3", True),
        ("channel in [pos]", True),
        ("count(order) > 3", True),
        ("city contains 'a'", False),
        ("city contains ''", False),
        ("signup_at in last 7d", False),
        ("tastes has none ['spicy']", False),
        ("last_order > 7d", False),
    ],
)
def test_a_test_is_unknown_where_its_value_is(text: str, is_known: bool) -> None:
    assert is_never_unknown(text) == is_known


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ("last_order > 7d", "last_order >= 7d", True),
        ("last_order >= 7d", "last_order > 7d", False),
        ("last_order <= 7d", "last_order < 7d", False),
        ("last_order < 7d", "last_order <= 7d", True),
    ],
)
def test_c1_a_recency_is_exact_to_the_millisecond(text: str, other: str, expected: bool) -> None:
    assert implies(text, other) == expected


def test_a_value_is_before_the_end_of_time_and_not_before_its_start() -> None:
    encoder, path = comparison_encoder(), s.Path(s.Ref("signup_at"))
    start, end = ALL_TIME
    assert (encoder.before(path, start, Site()), encoder.before(path, end, Site())) == (FALSE, TRUE)
    instant = Fixed(0)
    assert encoder.before(path, instant, Site()) == atom(Before(encoder.values.key(path, Site()), instant), IS_TRUE)


def test_a_last_or_first_event_before_an_instant_is_a_number_of_events() -> None:
    encoder = comparison_encoder()
    tally = encoder.values.recency_events(s.Path(s.Ref("last_order")), Site())
    later = encoder.values.make_tally("count", tally.events, (Ago(7), NOW))
    earlier = encoder.values.make_tally("count", tally.events, (tally.start, Ago(7)))
    assert encoder.before(s.Path(s.Ref("last_order")), Ago(7), Site()) == no_events(later)
    assert encoder.before(s.Path(s.Ref("first_order")), Ago(7), Site()) == some_events(earlier)


@pytest.mark.parametrize("text", ["did order", "in segment vip", "points in top 10%", "sample 10% seed 'a'"])
def test_other_conditions_are_left_to_the_encoder(text: str) -> None:
    assert comparison_encoder().encode(bound_condition(text), Site()) is None


def test_has_none_is_the_negation_of_has_any() -> None:
    encoder = make_encoder()
    some, none = (encode(encoder, f"tastes has {word} ['spicy']") for word in ("any", "none"))
    assert none == ~some
    assert some.true != negation(some.false)  # unknown where the set is


def test_a_factor_is_divided_exactly() -> None:
    assert implies("points * 3 = 1", "points > 0.333333")
