"""Conditions (C, E, Q, T): the types and scopes that they accept."""

import pytest

from tests.unit.dsl.binding.checks import check_binding, check_rejection

# point of the reference, rule, column, reason, suggestions
C4_OFFERS = ["signup_at between 2026-01-31 10:00 and 2026-01-31 10:01", "signup_at > 2026-01-31 10:00"]
REJECTED = [
    ("C1 equals", "last_order = 30d", 1, "type", ["last_order between 30d and 31d"]),
    ("C1 date", "last_order > 2025-01-01", 1, "type", ["latest(order) >= 2025-01-01", "latest(order) < 2025-01-01"]),
    ("C1 first", "first_order < 2025-01-01", 1, "type",
     ["earliest(order) < 2025-01-01", "earliest(order) >= 2025-01-01"]),
    ("C2 one type", "points = 'x'", 10, "type", []),
    ("C2 money and number", "balance > points", 11, "type", []),
    ("C2 two values of maps", "survey.a = survey.b", 1, "type", []),
    ("C2 values of maps in a list", "survey.a in [survey.b, 'x']", 14, "type", []),
    ("C2 between values of maps", "survey.a between 1 and survey.b", 24, "type", []),
    ("C2 one type in a list", "survey.a in [1, 'x']", 17, "type", []),
    ("C9 has of a value of a map", "survey.a has any ['x']", 1, "type", ["survey.a in ['x']"]),
    ("C2 text", "city < 'x'", 1, "type", ["city = 'x'", "city != 'x'"]),
    ("C2 bool", "subscribed < true", 1, "type", ["subscribed = true", "subscribed != true"]),
    ("C2 unordered enum", "tier < a", 1, "type", ["tier in [a]"]),
    ("C2 date and instant", "renewal > signup_at", 1, "type", []),
    ("C4 minute", "signup_at = 2026-01-31 10:00", 1, "type", C4_OFFERS),
    ("C5 set", "tastes = 'vegan'", 1, "type", ["tastes in ['vegan']", "tastes has all ['vegan']"]),
    ("C9 has", "city has any ['x']", 1, "type", ["city in ['x']"]),
    ("C9 contains of a set", "tastes contains 'x'", 1, "type", ["tastes has any ['x']"]),
    ("C7 look-around", "city matches '(?=x)'", 14, "value", []),
    ("point", "home = 3", 1, "type", ["home within 3km of (31.2304, 121.4737)"]),
    ("near", "city within 3km of (1, 2)", 1, "type", ["(31.2304, 121.4737)"]),
    ("T13 elapsed", "renewal in next 30d", 1, "time", ["renewal in next 30 calendar days"]),
    ("T13 ago", "renewal between 7d and 30d ago", 1, "time", ["renewal in last 30 calendar days"]),
    ("T13 datetime", "renewal > 2026-01-01 10:00", 1, "time", ["renewal > 2026-01-01"]),
    ("T14 month-day", "birthday in this month", 1, "type", ["anniversary of birthday in this month"]),
    ("T14 number", "anniversary of points in this month", 16, "type", []),
    ("no point in time", "points in last 30d", 1, "type", []),
    ("S2", "sample 10%", 1, "scope", ["sample 10% seed '...'"]),
    ("E9 did", "did order where (did scan ever)", 18, "scope", []),
    ("E9 segment", "did order where (in segment vip)", 18, "scope", []),
    ("E9 sample", "did order where (sample 1% seed 'x')", 18, "scope", []),
    ("E9 rank", "did order where (amount in top 10%)", 18, "scope", []),
    ("E9 tile", "did order where (quintile(points) = 5)", 18, "scope", []),
    ("V1 no version", "last_touch@7 > 30d", 1, "version", ["touch@2"]),
    ("arithmetic", "city + 1 > 3", 1, "type", []),
    ("money times money", "balance * balance > 3", 1, "type", []),
    ("C2 no place in the order", "level > 'platinum'", 9, "value", ["'bronze'", "'silver'", "'gold'"]),
    ("C2 no order in common", "level > tier", 1, "type", []),
    ("C2 default out of order", "(level default 'none') > silver", 1, "type", ["(level default 'none') in [silver]"]),
    ("E9 was", "did order where (was in segment vip 30d ago)", 18, "scope", []),
    ("E9 was on", "did order where (was in segment vip on 2026-01-01)", 18, "scope", []),
    ("E9 entered", "did order where (entered segment vip in last 7d)", 18, "scope", []),
    ("E9 left", "did order where (left segment vip ever)", 18, "scope", []),
    ("E9 sequence", "did order where (did (scan then order))", 18, "scope", []),
    ("M unknown segment", "entered segment vipp in last 7d", 17, "name", ["vip"]),
    ("M no segment", "was in segment net_spend 30d ago", 16, "name", []),
    ("M version", "left segment vip@9 today", 14, "version", ["vip@3"]),
    ("Q unknown step", "did (scan then ordr) ever", 16, "name", ["order"]),
    ("Q unknown without", "did (scan without refnd) ever", 19, "name", ["refund"]),
    ("Q property", "did (scan then order where (amout > 5)) ever", 29, "name", ["amount"]),
    ("Q7 of the events", "did (order then scan) by city ever", 26, "name", []),
    ("Q7 of those without", "did (order then order without refund) by quantity", 42, "name", []),
    ("Q7 of the person", "did (order then scan) by person.points", 26, "scope", []),
    ("Q7 a value of the person", "did (order then scan) by points", 26, "scope", []),
    ("Q7 no event before it", "did (order then order) by order.note", 27, "name", ["note"]),
    ("Q7 one value", "did (order then scan) by store.location", 26, "type", []),
    ("Q7 no version", "did (order then order) by note@2", 27, "version", ["note"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "column", "reason", "suggestions"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED]
)
def test_rejects_with_position_reason_and_suggestions(
    rule: str, column: int, reason: str, suggestions: list[str]
) -> None:
    check_rejection(rule, column, reason, suggestions)


# point of the reference, rule, the bound rule or None if it is rejected
BOUND = [
    ("C1 recencies", "last_order > last_scan", "last_order > last_scan"),
    ("C2 ordered", "level >= silver", "level >= 'silver'"),
    ("C4", "signup_at <= 2026-01-31", "signup_at <= 2026-01-31"),
    ("G16", "signup_at today", "signup_at today"),
    ("C2 two enums", "level > level", "level > level"),
    ("C2 default in order", "(level default bronze) >= silver", "(level default 'bronze') >= 'silver'"),
    ("E8", "did order in each of last 4 calendar weeks", "did order in each of last 4 calendar weeks"),
    ("E8 times", "did not touch at most 2 times in at least 1 of last 2 calendar months",
     "did not touch@2 at most 2 times in at least 1 of last 2 calendar months"),
    ("Q", "did (scan then touch after 1d within 2h without refund)",
     "did (scan then touch@2 after 1d within 2h without refund) ever"),
    ("Q7", "did (scan then touch) by 门店.city in last 7d", "did (scan then touch@2) by store.city in last 7d"),
    ("Q7 channel", "did (scan without refund) by channel", "did (scan without refund) by channel ever"),
    ("Q units", "did (scan then scan) by code in exactly 0 of last 3 calendar days",
     "did (scan then scan) by code in exactly 0 of last 3 calendar days"),
    ("M1", "was in segment vip on 2026-01-01", "was in segment vip@3 on 2026-01-01"),
    ("M was", "not was in segment buyers 2w ago", "not was in segment buyers@1 2w ago"),
    ("M3 entered", "entered segment vip in this week", "entered segment vip@3 in this week"),
    ("M3 left", "not left segment vip ever", "not left segment vip@3 ever"),
    ("M5", "left segment vip in at most 1 of last 4 calendar weeks",
     "left segment vip@3 in at most 1 of last 4 calendar weeks"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "bound"), [row[1:] for row in BOUND], ids=[row[0] for row in BOUND])
def test_binds_and_keeps_the_bound_text(rule: str, bound: str | None) -> None:
    check_binding(rule, bound)
