"""Explanations of conditions that are always or never true by a rule of the language."""

import pytest

from quanyu.dsl.linting.constant_conditions import explain_constant
from quanyu.dsl.linting.proving import Encoder, Site
from tests.unit.dsl.linting.cases import findings
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def explain(text: str) -> str:
    condition = bind(text).condition
    assert condition is not None
    return explain_constant(condition, Encoder(CATALOG, LIBRARY, CLOCK), Site())


EXPLAINED = [
    ("did order at least 0 times", "every number of times is at least 0 (E6)"),
    ("did order in at least 5 of last 4 calendar weeks", "between 0 and 4 of 4 units can match (E8)"),
    ("did order in at most 2 of last 2 calendar days", "between 0 and 2 of 2 units can match (E8)"),
    ("did (order then scan after 3d within 2d)", "`after` is longer than `within` (Q12)"),
    (
        "did (order then scan after 30d) in last 7d",
        "the gaps between its steps are longer than the window (Q9)",
    ),
    ("points in top 0", "a rank of 0 includes nobody (R7)"),
    ("points in bottom 0", "a rank of 0 includes nobody (R7)"),
    ("sample 0% seed 'a'", "a sample of 0% includes nobody (S1)"),
    ("sample 100% seed 'a'", "a sample of 100% includes everybody (S1)"),
    ("quintile(points) = 6", "a quintile is from 1 to 5 (R3)"),
    ("decile(points) < 1", "a decile is from 1 to 10 (R3)"),
    ("percentile(points) > 100", "a percentile is from 1 to 100 (R10)"),
    ("count(order) < 0", "`count` is a whole number of at least 0 (U10)"),
    ("distinct(order.note) = 1.5", "`distinct` is a whole number of at least 0 (U10)"),
    ("days(order in last 7d) > 8", "the window has at most 8 local days (A8)"),
    ("level = 'platinum'", "its values are bronze < silver < gold (C7)"),
    ("level in ['platinum']", "its values are bronze < silver < gold (C7)"),
]


@pytest.mark.parametrize(("text", "explanation"), EXPLAINED)
def test_a_constant_condition_is_explained_by_its_rule(text: str, explanation: str) -> None:
    assert explain(text) == explanation


@pytest.mark.parametrize(("text", "explanation"), EXPLAINED)
def test_the_finding_of_a_constant_condition_contains_the_explanation(text: str, explanation: str) -> None:
    (finding,) = [one for one in findings(text) if one.code in ("ALWAYS_TRUE", "NEVER_TRUE", "NEVER_FALSE")]
    assert explanation in finding.message


def test_the_negation_of_a_condition_has_the_same_explanation() -> None:
    assert explain("did not order at least 0 times") == explain("did order at least 0 times")
    assert explain("level != 'platinum'") == explain("level = 'platinum'")


@pytest.mark.parametrize(
    "text",
    [
        "points != points",
        "days(order) < 0",
        "level = gold",
        "level < bronze",
        "tier in ['c']",
        "points in top 3",
        "in segment vip",
    ],
)
def test_other_conditions_have_no_explanation(text: str) -> None:
    assert explain(text) == ""
