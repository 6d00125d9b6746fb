"""Conditions as formulas: logic, events, membership, ranks and samples."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import RuleError, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving import Site
from quanyu.dsl.linting.proving.formulas import FALSE
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.linting.proving.proofs import (
    are_equivalent,
    bound_condition,
    encode,
    implies,
    is_never_unknown,
    make_encoder,
)
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(100)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_random_conditions_follow_the_laws_of_three_valued_logic(cond: s.Cond, chosen: random.Random) -> None:
    try:
        bound = bind(format_rule(Renamer(chosen).tree(cond))).condition
        assert bound is not None
        encoder = make_encoder()
        truth = encoder.encode(bound, Site())
    except RuleError:
        return
    assert not encoder.prover.is_possible(truth.true, truth.false)
    assert encoder.encode(s.Not(bound), Site()) == ~truth
    including = encoder.encode(s.IncludingUnknown(bound), Site())
    assert including.false == truth.false
    assert not encoder.prover.is_possible(including.unknown)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("did not order in last 7d", "not (did order in last 7d)"),
        ("points > 3 and city = 'x'", "city = 'x' and points > 3"),
        ("not (points > 3 or city = 'x')", "points <= 3 and city != 'x'"),
        ("did order", "did order at least 1 times"),
        ("did not order", "did order exactly 0 times"),
        ("did touch", "did order or did scan"),
        ("did coffee", "did order where (product.category = coffee)"),
        ("in segment buyers", "did order"),
        ("in segment vip", "in segment buyers and net_spend > 1000"),
        ("entered segment buyers in last 7d", "in segment buyers and not was in segment buyers 7d ago"),
        ("left segment buyers in last 7d", "was in segment buyers 7d ago and not in segment buyers"),
        ("entered segment buyers ever", "in segment buyers"),
        ("did order for the first time ever", "did order"),
        ("did order in each of last 4 calendar weeks", "did order in at least 4 of last 4 calendar weeks"),
        ("did order in exactly 0 of last 4 calendar weeks", "did order in at most 0 of last 4 calendar weeks"),
        ("did (order then order after 3d within 2d)", "did order at most 0 times and did order"),
    ],
)
def test_conditions_with_the_same_meaning_are_equivalent(text: str, other: str) -> None:
    assert are_equivalent(text, other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("did order in last 7d", "did order in last 30d"),
        ("did order at least 3 times", "did order at least 2 times"),
        ("did order where (amount > 5)", "did order"),
        ("did order for the first time in last 7d", "did not order before 2026-01-01"),
        ("did (order then scan)", "did order and did scan"),
        ("did (order then order)", "did order at least 2 times"),
        ("did order in at least 3 of last 4 calendar weeks", "did order in at least 2 of last 4 calendar weeks"),
        ("sample 10% seed 'a'", "sample 20% seed 'a'"),
        ("points in top 10%", "points in top 20%"),
        ("points in top 10 of vip", "in segment vip and points is known"),
        ("home within 3km of (31.2, 121.4)", "home within 5km of (31.2, 121.4)"),
        ("anniversary of birthday today", "birthday is known"),
    ],
)
def test_a_narrower_condition_implies_the_wider_one(text: str, other: str) -> None:
    assert implies(text, other)
    assert not implies(other, text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("in segment buyers", "was in segment buyers 30d ago"),
        ("was in segment buyers 30d ago", "was in segment buyers 7d ago"),
        ("entered segment buyers in last 7d", "entered segment vip in last 7d"),
        ("sample 10% seed 'a'", "sample 20% seed 'b'"),
        ("points in top 10%", "points in top 20% of vip"),
        ("points in top 10%", "balance in top 20%"),
        ("points in top 10", "points in top 10%"),
        ("did (order then scan)", "did (scan then order)"),
        ("did order in at least 3 of last 4 calendar weeks", "did order in at least 2 of last 4 calendar months"),
        ("anniversary of birthday today", "anniversary of birthday tomorrow"),
    ],
)
def test_unrelated_conditions_do_not_imply_each_other(text: str, other: str) -> None:
    assert not implies(text, other)
    assert not implies(other, text)


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("did order where (amount > 5)", True),
        ("in segment vip", True),
        ("was in segment vip 30d ago", True),
        ("sample 10% seed 'a'", True),
        ("not (did (order then scan))", True),
        ("points > 3 including unknown", True),
        ("points in top 10%", False),
        ("points > 3", False),
        ("home within 3km of (31.2, 121.4)", False),
        ("anniversary of birthday today", False),
    ],
)
def test_events_membership_and_samples_are_never_unknown(text: str, is_known: bool) -> None:
    assert is_never_unknown(text) == is_known


def test_r4_a_rank_is_false_outside_its_population() -> None:
    encoder = make_encoder()
    rank = encode(encoder, "points in top 10% of buyers")
    assert encoder.prover.implies(encode(encoder, "did not order").true, rank.false)
    assert not encoder.prover.implies(encode(encoder, "did order").true, rank.false)


def test_r6_a_rank_uses_the_population_of_its_rule() -> None:
    encoder, rank = make_encoder(), bound_condition("points in top 10%")
    inside = Site(among=s.Ref("vip", 3))
    assert encoder.encode(rank, inside) != encoder.encode(rank, Site())
    assert encoder.encode(rank, inside) == encoder.encode(rank, Site(among=s.Ref("vip", 3), rule="x"))


def test_s2_a_sample_without_a_seed_uses_the_name_of_its_rule() -> None:
    encoder, sample = make_encoder(), s.Sample(bound_percent(), None)
    assert encoder.encode(sample, Site(rule="a")) != encoder.encode(sample, Site(rule="b"))
    assert encoder.encode(sample, Site(rule="a")) == encode(encoder, "sample 10% seed 'a'")


def bound_percent() -> s.Percent:
    sample = bound_condition("sample 10% seed 'a'")
    assert isinstance(sample, s.Sample)
    return sample.percent


@pytest.mark.parametrize(
    "text",
    [
        "did (order then scan after 3d within 2d)",
        "did (order then scan after 8d) in last 7d",
        "left segment buyers ever",
        "did order in at least 5 of last 4 calendar weeks",
        "in segment vip and did not order",
    ],
)
def test_an_impossible_condition_is_refuted(text: str) -> None:
    encoder = make_encoder()
    assert encoder.prover.is_refuted(encode(encoder, text).true)


def test_q12_gaps_that_do_not_fit_make_a_sequence_false() -> None:
    assert encode(make_encoder(), "did (order then scan after 3d within 2d)").true == FALSE
    assert encode(make_encoder(), "did (order then scan after 2d within 3d)").true != FALSE
