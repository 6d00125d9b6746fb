"""What the linter finds, and what it must not find: each text beside its near misses, asked of one world."""

import pytest

from quanyu.dsl import Finding, check_and_bind, lint
from quanyu.dsl.linting.findings import MAX_FINDINGS
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def findings(text: str) -> list[Finding]:
    return lint(bind(text), CATALOG, LIBRARY, CLOCK)


def codes(text: str) -> set[str]:
    return {finding.code for finding in findings(text)}


NEVER = [
    "level = gold and level = silver",
    "level = 'platinum'",
    "level not in [bronze, silver, gold]",
    "level < bronze",
    "level > silver and level <= bronze",
    "subscribed = true and subscribed = false",
    "points > 5 and points < 3",
    "points > 5 and points <= 5",
    "points between 5 and 9 and points in [1, 2]",
    "points + 1 > 5 and points < 3",
    "points * -2 > 4 and points > 0",
    "points / 2 = 3 and points != 6",
    "points != points",
    "balance > 100 and balance < 99.99",
    "churn_risk > 80% and churn_risk < 50%",
    "net_spend > 100 and net_spend < 50",
    "city in ['上海'] and city not in ['上海']",
    "city = '上海' and city = '北京'",
    "city starts with '上' and city starts with '北'",
    "city = '上海' and city not contains '海'",
    "city = 'ＡＢ' and city != 'AB'",
    "city is unknown and city = '上海'",
    "tastes has all ['spicy'] and tastes has none ['spicy']",
    "tastes in ['spicy'] and tastes not in ['spicy', 'vegan']",
    "channel in [pos] and channel not in [pos]",
    "signup_at in last 7d and signup_at not in last 30d",
    "signup_at > 2026-01-31 and signup_at < 2026-01-31",
    "signup_at before 2026-01-01 and signup_at since 2026-01-01",
    "renewal in next month and renewal in this month",
    "renewal < 2026-01-01 and renewal > 2026-01-02",
    "did order and did not order",
    "did order in last 7d and did not order in last 30d",
    "did order in last month and did not order in last 2 calendar months",
    "did order yesterday and did not order in last 7 calendar days",
    "did order today and did not order in this year",
    "did order in 2026-03 and did not order between 2026-01-01 and 2026-06-30",
    "did order at least 3 times in last 7d and did order at most 2 times in last 30d",
    "did coffee and did not order",
    "did order where (amount > 5) and did not order where (amount > 3)",
    "did touch and did not order and did not scan",
    "last_touch > 30d and did touch in last 7d",
    "last_order < 7d and did not order in last 7d",
    "last_order > 30d and last_order < 7d",
    "last_order > 7d and last_order <= 7d",
    "last_order >= 7d and last_order < 7d",
    "last_order > 7d and did order in last 7d",
    "last_order > 7d and first_order < 7d",
    "latest(order) >= 2026-01-01 and did not order since 2026-01-01",
    "count(order in last 7d) >= 3 and did not order in last 30d",
    "count(order) < 0",
    "count(order) = 1.5",
    "count(order.amount) > 5 and count(order) < 5",
    "days(order in last 7d) > 8",
    "days(order in last 7 calendar days) > 7",
    "days(order) > 2 and count(order) < 2",
    "distinct(order.store) >= 2 and did order at most 1 times",
    "sum(order.amount in last 30d) > 0 and did not order in last 30d",
    "avg(order.amount) > 5 and did not order",
    "avg(order.amount) is known and did order at most 0 times",
    "did order for the first time in last 7d and did order before 2026-01-01",
    "did (order then scan after 3d within 2d)",
    "did (order then scan after 30d) in last 7d",
    "did (order then order) and did order at most 1 times",
    "did order in at least 5 of last 4 calendar weeks",
    "did not order at least 0 times",
    "in segment buyers and not in segment buyers",
    "in segment vip and not in segment buyers",
    "in segment buyers and did not order",
    "was in segment vip 30d ago and not was in segment vip 30d ago",
    "entered segment vip in last 7d and not in segment vip",
    "frequency = 'heavy' and frequency = 'light'",
    "frequency = 'rare'",
    "sample 0% seed 'a'",
    "sample 10% seed 'a' and not sample 20% seed 'a'",
    "points in top 0",
    "points in top 10% and points not between 0 and 9 and points in bottom 0",
    "quintile(points) = 6",
    "decile(points) < 1",
    "percentile(points) > 100",
    "home within 3km of (31.2, 121.4) and not home within 5km of (31.2, 121.4)",
    "(level = gold or level = silver) and level = bronze",
    "not (points > 3 or points <= 3)",
    "(points = 1 or points = 2 or points = 3) and points > 4",
    "segment s among buyers: not in segment buyers",
    "segment s among buyers: did not order",
    "metric m = count(order where (amount > 5 and amount < 3))",
    "define odd = order where (note = 'a' and note = 'b')",
]
ALWAYS = [
    "did order at least 0 times",
    "did order or did not order",
    "did not order in last 7d or did order in last 30d",
    "count(order) >= 0",
    "days(order in last 7d) <= 8",
    "did order in at most 4 of last 4 calendar weeks",
    "sample 100% seed 'a'",
    "points is known or points is unknown",
    "(points > 3 or points <= 3) including unknown",
    "level in [bronze, silver, gold] or level is unknown",
    "frequency in ['heavy', 'medium', 'light']",
    "(survey.a default 3) > 2 or survey.a <= 2",
    "in segment buyers or did not order",
    "segment s among buyers: did order",
]
NEVER_FALSE = [
    "level in [bronze, silver, gold]",
    "points > 3 or points <= 3",
    "subscribed in [true, false]",
    "city contains ''",
    "quintile(points) <= 5",
    "points in top 100%",
    "points = points",
    "survey.a + 1 > 3 or survey.a + 1 <= 3 or survey.a is unknown",
    "points > 3 or points <= 3 or city = 'a'",
]
# The column of the clause that changes nothing, and what is left without it.
REDUNDANT = [
    ("points > 3 and points > 5", 1, "points > 5"),
    ("points > 3 or points > 5", 15, "points > 3"),
    ("did order in last 7d and did order in last 30d", 26, "did order in last 7d"),
    ("did touch and last_touch > 30d", 1, "last_touch@2 > 30d"),
    ("did order at least 3 times and did order", 32, "did order at least 3 times ever"),
    ("level = gold and level > bronze", 18, "level = 'gold'"),
    ("tastes has all ['spicy', 'vegan'] and tastes has any ['spicy']", 39, "tastes has all ['spicy', 'vegan']"),
    ("in segment vip and in segment buyers", 20, "in segment vip@3"),
    ("city starts with 'ab' and city contains 'b'", 27, "city starts with 'ab'"),
    ("points > 3 and (points > 2 or city = 'a')", 17, "points > 3"),
    ("not (points > 3 and points > 5)", 6, "points > 5"),
    ("(points > 3 or points > 5) including unknown", 16, "points > 3"),
    ("segment s among buyers: did order and points > 3", 25, "points > 3"),
    ("did order where (amount > 3 and amount > 5)", 18, "amount > 5"),
]
DUPLICATE = [
    ("points > 3 and city = 'a' and points > 3", 31, "points > 3 and city = 'a'"),
    ("did order or did order ever", 14, "did order ever"),
]
BRANCHES = [
    ("points > 3 and (points < 2 or city = 'a')", 17, "city = 'a'"),
    ("did order in last 7d and (did not order in last 30d or level = gold)", 27, "level = 'gold'"),
]
UNREACHABLE_TIERS = [
    "tag t: 'a' when points > 3; 'b' when points > 5",
    "tag t: 'a' when points > 3; 'b' when points <= 3; 'c' when points = 4",
    "tag t: 'a' when did order; 'b' when last_order > 30d; else 'c'",
    "tag t: 'a' when points > 3 and points < 2; else 'c'",
]
UNKNOWN = [
    ("not (points = 1)", "NOT_LEAVES_OUT_UNKNOWN"),
    ("points not in [1, 2]", "NOT_LEAVES_OUT_UNKNOWN"),
    ("did order and not (city = 'a' or points > 3)", "NOT_LEAVES_OUT_UNKNOWN"),
    ("did order where (quantity not between 1 and 2)", "NOT_LEAVES_OUT_UNKNOWN"),
    ("did order including unknown", "NOTHING_UNKNOWN"),
    ("points is known including unknown", "NOTHING_UNKNOWN"),
    ("count(order) > 3 including unknown", "NOTHING_UNKNOWN"),
    ("did order and latest(order) > 2026-01-01 including unknown", "NOTHING_UNKNOWN"),
    ("segment a: points > 3\nsegment b: not in segment a", "DENIED_SEGMENT_TAKES_UNKNOWN"),
    ("tag t: 'a' when points > 3; else 'b'", "ELSE_TAKES_UNKNOWN"),
    ("tag t: 'a' when did order; 'b' when city = 'x'; else 'c'", "ELSE_TAKES_UNKNOWN"),
    ("tag t: 'a' when did order; 'b' when did not order; else 'c'", "UNREACHABLE_ELSE"),
    ("did not order for the first time in last 7d", "NOT_THE_FIRST_TIME"),
    ("not (did order for the first time in last 7d)", "NOT_THE_FIRST_TIME"),
    ("did order where (person.city = 'a')", "PERSON_IN_WHERE"),
    ("did order where (quantity > points)", "PERSON_IN_WHERE"),
    ("count(order where (last_scan < 7d)) > 1", "PERSON_IN_WHERE"),
    ("did order since 2027-01-01", "EMPTY_WINDOW"),
    ("did order between 2027-01-01 and 2027-02-01", "EMPTY_WINDOW"),
    ("count(order in 2027-03) > 0", "EMPTY_WINDOW"),
    ("did order between 7d and 7d ago", "EMPTY_WINDOW"),
    ("entered segment buyers on 2027-01-01", "EMPTY_WINDOW"),
    ("level = 'gld'", "UNDECLARED_VALUE"),
    ("level != 'Gold'", "UNDECLARED_VALUE"),
    ("tastes has any ['spicy', 'vegen']", "UNDECLARED_VALUE"),
    ("level in [gold, 'platinum']", "UNDECLARED_VALUE"),
    ("channel in ['shop']", "UNDECLARED_VALUE"),
    ("did order where (channel = 'shop')", "UNDECLARED_VALUE"),
    ("tag t: 'a' when points > 3\nsegment s: t = 'b'", "UNDECLARED_VALUE"),
]  # fmt: skip


@pytest.mark.parametrize("text", NEVER)
def test_it_finds_what_is_never_true(text: str) -> None:
    assert "NEVER_TRUE" in codes(text)


@pytest.mark.parametrize("text", ALWAYS)
def test_it_finds_what_is_always_true(text: str) -> None:
    assert "ALWAYS_TRUE" in codes(text)


@pytest.mark.parametrize("text", NEVER_FALSE)
def test_it_finds_what_asks_only_whether_a_value_is_known(text: str) -> None:
    assert codes(text) == {"NEVER_FALSE"}


@pytest.mark.parametrize(
    ("text", "column", "left", "code"),
    [(*case, "REDUNDANT_CLAUSE") for case in REDUNDANT]
    + [(*case, "DUPLICATE_CLAUSE") for case in DUPLICATE]
    + [(*case, "UNREACHABLE_BRANCH") for case in BRANCHES],
)
def test_it_finds_clauses_that_change_nothing(text: str, column: int, left: str, code: str) -> None:
    (found,) = [finding for finding in findings(text) if finding.code == code]
    assert (found.line, found.column, found.suggestions) == (1, column, (left,))


@pytest.mark.parametrize("text", UNREACHABLE_TIERS)
def test_it_finds_tiers_that_are_never_reached(text: str) -> None:
    assert "UNREACHABLE_TIER" in codes(text)


@pytest.mark.parametrize(("text", "code"), UNKNOWN)
def test_it_finds_what_is_easily_misread(text: str, code: str) -> None:
    assert code in codes(text)


@pytest.mark.parametrize(
    "text",
    [*NEVER, *ALWAYS, *NEVER_FALSE, *UNREACHABLE_TIERS]
    + [case[0] for case in (*REDUNDANT, *DUPLICATE, *BRANCHES, *UNKNOWN)],
)
def test_what_it_offers_is_read(text: str) -> None:
    """In the place of what was found: a part of a filter inside one, a tag as the next text."""
    library = LIBRARY.publish(bind(text))
    for finding in findings(text):
        for offer in finding.suggestions:
            if offer.startswith("tag"):
                check_and_bind(offer, CATALOG, LIBRARY)
            else:
                check_and_bind(f"did order where ({offer})" if " where (" in text else offer, CATALOG, library)


# --- near misses --------------------------------------------------------------------------------

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
def test_it_says_nothing_of_what_is_meant(text: str) -> None:
    assert findings(text) == []


# --- long and deep texts ------------------------------------------------------------------------


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
def test_of_a_long_text_no_more_is_said_than_can_be_read(text: str) -> None:
    assert len(findings(text)) <= MAX_FINDINGS


def test_brackets_inside_each_other_are_looked_through() -> None:
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
def test_rules_that_hold_each_other_many_times_are_not_spelled_out(first: str, each: str) -> None:
    """Each names the one before twice: looked through in full, the last would have a billion parts."""
    rules = [first, *(each.format(n=n, m=n - 1) for n in range(1, 31))]
    last = {"segment": "in segment r30", "metric": "r30 > 3", "define": "did r30"}[first.split()[0]]
    assert len(findings("\n".join([*rules, f"segment whole: {last} or did order"]))) <= MAX_FINDINGS
