"""The linter as a whole: tags, suggestions, rules without findings, and long texts."""

import pytest

from quanyu.dsl import RuleError, check_and_bind
from quanyu.dsl.linting.findings import MAX_FINDINGS
from tests.unit.dsl.linting.cases import (
    ALWAYS_TRUE,
    DUPLICATE,
    MISREAD,
    NEVER_FALSE,
    NEVER_TRUE,
    REDUNDANT,
    UNREACHABLE_BRANCHES,
    UNREACHABLE_TIERS,
    codes,
    findings,
)
from tests.unit.dsl.world import CATALOG, LIBRARY, bind


@pytest.mark.parametrize("text", UNREACHABLE_TIERS)
def test_finds_tiers_that_are_never_reached(text: str) -> None:
    assert "UNREACHABLE_TIER" in codes(text)


@pytest.mark.parametrize(
    "text",
    [*NEVER_TRUE, *ALWAYS_TRUE, *NEVER_FALSE, *UNREACHABLE_TIERS]
    + [case[0] for case in (*REDUNDANT, *DUPLICATE, *UNREACHABLE_BRANCHES, *MISREAD)],
)
def test_every_suggestion_binds(text: str) -> None:
    """A suggestion replaces the finding: inside a filter if the finding is there, a tag as a text of its own."""
    library = LIBRARY.publish(bind(text))
    for finding in findings(text):
        for offer in finding.suggestions:
            if offer.startswith("tag"):
                check_and_bind(offer, CATALOG, LIBRARY)
            else:
                check_and_bind(f"did order where ({offer})" if " where (" in text else offer, CATALOG, library)


CLEAN = [
    "level = gold or level = silver",
    "level >= silver and level <= silver",
    "level > bronze and level < gold",
    "tier in ['a', 'b', 'points']",
    "points > 5 and points < 6",
    "points >= 5 and points <= 5",
    "points between 5 and 9 and points in [1, 9]",
    "points + 1 > 5 and points < 5",
    "points > 3 and balance > 3",
    "points > 3 or points < 3",
    "balance > 99.99 and balance < 100",
    "city in ['上海', '北京'] and city != '北京'",
    "city = 'ab' or city = 'AB'",
    "city starts with '上' and city ends with '海'",
    "city starts with 'ab' and city contains 'c'",
    "city contains 'a' and city contains 'b'",
    "city matches '^a' and city matches '^b'",
    "tastes has any ['spicy'] and tastes has any ['vegan']",
    "tastes has any ['spicy', 'vegan'] and tastes has none ['vegan']",
    "channel in [pos] and channel in [miniapp]",
    "survey.a > 3 and survey.b < 3",
    "signup_at in last 30d and signup_at before 2027-01-01",
    "signup_at in last 7d or signup_at in next 7d",
    "renewal in this month and renewal in next 30 calendar days",
    "renewal > 2026-01-01 and renewal < 2026-01-03",
    "did order and did not scan",
    "did order in last 30d and did not order in last 7d",
    "did order in last 7d and did not order in this month",
    "did order in this month and did not order in last 7d",
    "did order in last 7d and did not order in last 7 calendar days",
    "did order today and did not order in last 1h",
    "did order yesterday and did not order in last 1d",
    "did order in last month and did not order in last 30d",
    "did order in last week and did not order in last month",
    "did order in last 7d and did order at most 2 times in last 30d",
    "did order at least 3 times in last 30d and did order at most 2 times in last 7d",
    "did touch and did not order",
    "did order and did not order where (product.category = coffee)",
    "did order where (amount > 3) and did not order where (amount > 5)",
    "did order where (quantity = 1) and did order where (quantity = 2)",
    "last_touch > 7d and did touch in last 30d",
    "last_touch > 7d and last_touch < 30d",
    "last_order >= 7d and last_order <= 7d",
    "last_order >= 7d and did order in last 7d",
    "first_order <= 7d and did not order in last 6d",
    "last_order > 7d and did order in last 30d and first_order > 30d",
    "last_touch > 30d and last_order > 60d",
    "count(order in last 7d) >= 3 and count(order in last 30d) < 4",
    "count(order) > 1 and count(order.amount) < 5",
    "days(order in last 7d) > 7",
    "days(order in last 7 calendar days) > 6",
    "count(order) > 2 and days(order) < 2",
    "sum(order.amount in last 30d) < 1 and did not order in last 30d",
    "did order for the first time in last 7d and last_order < 1d",
    "did order and did not order for the first time in last 7d",
    "did (order then scan after 2d within 3d)",
    "did (order then scan after 6d) in last 7d",
    "did (order then scan) and did order at most 1 times",
    "did order in at least 4 of last 4 calendar weeks",
    "did order exactly 0 times in last 7d",
    "not in segment vip or did scan",
    "was in segment vip 30d ago and not in segment vip",
    "entered segment vip in last 7d and left segment vip in last month",
    "did order in last 7d and did not scan in last 7d",
    "frequency = 'heavy' or frequency = 'light'",
    "sample 20% seed 'a' and not sample 10% seed 'a'",
    "sample 10% seed 'a' and not sample 10% seed 'b'",
    "points in top 10% and balance in top 10%",
    "points in top 10% of buyers and points in bottom 10% of vip",
    "quintile(points) = 5",
    "percentile(points) > 99",
    "home within 5km of (31.2, 121.4) and home is known and not home within 3km of (31.2, 121.4)",
    "points is known and not (points = 1)",
    "points not in [1, 2] including unknown",
    "(not (points = 1)) including unknown",
    "not (points > 3 including unknown)",
    "points > 3 including unknown",
    "not (did order and did scan)",
    "did order where (quantity > 1 including unknown)",
    "signup_at since 2027-01-01",
    "anniversary of birthday in next 7 calendar days",
    "segment s among buyers: points > 3",
    "segment s: not in segment vip",
    "tag t: 'a' when did order at least 5 times; 'b' when did order; else 'c'",
    "tag t: 'a' when points > 3; 'b' when points > 1",
    "tag t: 'a' when points > 3; 'b' when points <= 3; 'c' when points is unknown",
    "tag t: 'a' when points > 3 including unknown; else 'b'",
]


@pytest.mark.parametrize("text", CLEAN)
def test_finds_nothing_in_sensible_rules(text: str) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(f"points > {n}" for n in range(3000)),
        " or ".join(f"(survey.a{n} > {n} and survey.b{n} > 3)" for n in range(1000)),
        " and ".join(f"(survey.a{n} > {n} or survey.b{n} > 3)" for n in range(1000)),
        " and ".join(f"did order at least {n} times in last {n + 1}d" for n in range(500)),
        "tag t: " + "; ".join(f"'v{n}' when points > {n}" for n in range(500)) + "; else 'x'",
    ],
    ids=["clauses", "branches", "pairs", "windows", "tiers"],
)
def test_a_long_text_has_at_most_max_findings(text: str) -> None:
    assert len(findings(text)) <= MAX_FINDINGS


def test_nested_brackets_are_simplified() -> None:
    text = "(" * 99 + "points > 1" + " and points > 0)" * 99
    assert {finding.code for finding in findings(text)} == {"REDUNDANT_CLAUSE"}


@pytest.mark.parametrize(
    ("first", "each"),
    [
        ("segment r0: points > 0", "segment r{n}: in segment r{m} or (city = 'c{n}' and not in segment r{m})"),
        ("metric r0 = points", "metric r{n} = r{m} + r{m}"),
        ("metric r0 = points", "metric r{n} = r{m} * r{m}"),
        ("metric r0 = points", "metric r{n} = (((r{m} / survey.a{n}) default r{m}) + r{m}) / (r{m} + 1)"),
        ("define r0 = order", "define r{n} = (r{m} where (quantity > {n})) or (r{m} where (note = 'c{n}'))"),
    ],
    ids=["segments", "sums", "products", "quotients", "definitions"],
)
def test_rules_that_use_each_other_often_are_not_expanded(first: str, each: str) -> None:
    """Each rule uses the previous one twice: expanded in full, the last one would have a billion parts."""
    rules = [first, *(each.format(n=n, m=n - 1) for n in range(1, 31))]
    last = {"segment": "in segment r30", "metric": "r30 > 3", "define": "did r30"}[first.split()[0]]
    assert len(findings("\n".join([*rules, f"segment whole: {last} or did order"]))) <= MAX_FINDINGS


@pytest.mark.parametrize("text", ["was in segment vip on 0001-01-01", "signup_at = 9999-12-31"])
def test_a_day_beyond_the_calendar_is_an_error_of_the_rule(text: str) -> None:
    with pytest.raises(RuleError, match="beyond the years 1 to 9999"):
        findings(text)
