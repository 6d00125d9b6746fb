"""Names (N), types (C, A, R), scopes (E9), versions (V): what is refused, where, and what is offered."""

import pytest

from quanyu.dsl import Library, RuleError, check_and_bind, format_rule
from quanyu.dsl import syntax as s
from tests.unit.dsl.world import CATALOG, LIBRARY, RULES, bind

# point of the law, rule, column, reason, offers
C4_OFFERS = ["signup_at between 2026-01-31 10:00 and 2026-01-31 10:01", "signup_at > 2026-01-31 10:00"]
REFUSED = [
    ("N1 ambiguous", "tier = points", 8, "name", ["'points'", "`points`"]),
    ("N1 neither", "channel in [pos, minapp]", 18, "name", ["'miniapp'", "'minapp'"]),
    ("N1 free text", "city = Beijing", 8, "name", ["'Beijing'"]),
    ("N1 text test", "city contains bei", 15, "type", ["'bei'"]),
    ("N1 unknown name", "citty = 'x'", 1, "name", ["city"]),
    ("N2 event version", "last_order@2 > 30d", 1, "version", ["order"]),
    ("N3 both", "did order where (city = 'x')", 18, "name", ["order.city", "person.city"]),
    ("N4 property outside where", "order.amount > 5", 1, "scope", ["did order where (amount > 5)"]),
    ("N5 another event", "did order where (scan.code = 'x')", 18, "name", []),
    ("N8 no reference", "did order where (note.city = 'x')", 23, "name", []),
    ("N8 unknown attribute", "did order where (store.citi = 'x')", 24, "name", ["city"]),
    ("N10 map key", "survey.a.b = 1", 10, "name", []),
    ("N11 no such score", "churn_risk@9 > 0.5", 1, "version", ["churn_risk@4"]),
    ("N12 segment as value", "vip > 3", 1, "name", ["in segment vip"]),
    ("N12 event as value", "order > 3", 1, "name", ["count(order)"]),
    ("N12 value as event", "did city ever", 5, "name", ["coffee", "imported", "mixed"]),
    ("N12 unknown event", "did ordr ever", 5, "name", ["order"]),
    ("N12 unknown segment", "in segment vipp", 12, "name", ["vip"]),
    ("N12 metric as segment", "in segment net_spend", 12, "name", []),
    ("A4 needs a property", "sum(order) > 5", 1, "type", ["sum(order.amount)", "sum(order.quantity)"]),
    ("A9 text", "sum(order.note) > 5", 1, "type", ["sum(order.amount)", "sum(order.quantity)"]),
    ("A9 bool", "max(order.paid) = true", 1, "type", ["max(order.amount)", "max(order.due)", "max(order.quantity)"]),
    ("A9 currencies", "sum(order.amount) + sum(sale_us.amount) > 5", 1, "type", []),
    ("A9 currencies compared", "sum(order.amount) > sum(sale_us.amount)", 1, "type", []),
    ("A10 not of all events", "sum(touch.amount) > 5", 11, "name", []),
    ("A10 in where", "did touch where (amount > 5)", 18, "name", []),
    ("A10 differs", "min(mixed.amount) > 5", 5, "type", []),
    ("A7 digits", "points > 0.1234567", 10, "value", []),
    ("A7 size", "points > 9000000000001", 10, "value", []),
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
    ("G3 one type", "(last_order default 5) > 3d", 21, "type", []),
    ("R9", "last_order in top 10%", 1, "type", ["latest(order) in top 10%", "latest(order) in bottom 10%"]),
    ("R9 tile", "quintile(last_order) = 5", 10, "type", ["latest(order)"]),
    ("R9 text", "city in top 10%", 1, "type", []),
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

MIXED = Library(LIBRARY.rules).publish(bind("define mixed = order or sale_us"))


@pytest.mark.parametrize(
    ("rule", "column", "reason", "offers"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(rule: str, column: int, reason: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        bind(rule, MIXED)
    error = caught.value
    assert (error.line, error.column, error.reason, list(error.suggestions)) == (1, column, reason, offers), str(error)
    assert rule in str(error)


BOUND = [
    ("N1 value", "channel in [pos, miniapp]", "channel in ['pos', 'miniapp']"),
    ("N1 tag", "frequency = heavy", "frequency@1 = 'heavy'"),
    ("N1 name", "points > balance_free default 3", None),
    ("N1 backquotes", "tier = `tier`", "tier = `tier`"),
    ("N1 NFKC", "tier = ａ", "tier = 'a'"),
    ("N2 recency of a definition", "last_touch@1 > 30d", "last_touch@1 > 30d"),
    ("V4 newest", "first_touch < 30d", "first_touch@2 < 30d"),
    ("N3 property", "did order where (amount > 5)", "did order where (amount > 5) ever"),
    ("N3 person", "did order where (person.city = 'x')", "did order where (person.city = 'x') ever"),
    ("N3 of the person only", "did order where (points > 5)", "did order where (points > 5) ever"),
    ("N5 own name", "did order where (order.city = 'x')", "did order where (order.city = 'x') ever"),
    ("N6 channel of the event", "did order where (channel = pos)", "did order where (channel = 'pos') ever"),
    ("N8 key", "distinct(order.store) > 1", "distinct(order.store) > 1"),
    ("N8 attribute", "did touch where (store.city = 'x')", "did touch@2 where (store.city = 'x') ever"),
    ("N8 enum of goods", "did order where (product.category = tea)", "did order where (product.category = 'tea') ever"),
    ("N10", "survey['price sensitivity'] >= 4", "survey['price sensitivity'] >= 4"),
    ("N10 list", "survey.a in [1, 2]", "survey.a in [1, 2]"),
    ("N10 default", "(survey.a default survey.b) > 3", "(survey.a default survey.b) > 3"),
    ("N11", "churn_risk > 0.5", "churn_risk@4 > 0.5"),
    ("N13", "first_seen > 30d", "first_seen > 30d"),
    ("G3", "(last_touch default 90d) > 30d", "(last_touch@2 default 90d) > 30d"),
    ("G13", "points > 150%", "points > 150%"),
    ("aliases", "城市 = 'x' 且 做过 下单 其中 (金额 > 5)", "city = 'x' and did order where (amount > 5) ever"),
    ("alias of goods", "did order where (product.品类 = tea) ever", "did order where (product.category = 'tea') ever"),
    ("alias of places", "did touch where (门店.city = 'x') ever", "did touch@2 where (store.city = 'x') ever"),
    ("C1 recencies", "last_order > last_scan", "last_order > last_scan"),
    ("C2 ordered", "level >= silver", "level >= 'silver'"),
    ("C4", "signup_at <= 2026-01-31", "signup_at <= 2026-01-31"),
    ("A4", "latest(order) < 2026-01-01", "latest(order) < 2026-01-01"),
    ("A4 counted", "count(order.note) > 1", "count(order.note) > 1"),
    ("A9 dates", "max(order.due) > 2026-01-01", "max(order.due) > 2026-01-01"),
    ("A9 ratio", "sum(refund.amount) / sum(order.amount) > 50%", "sum(refund.amount) / sum(order.amount) > 50%"),
    ("A9 money a head", "sum(order.amount) / count(order) > 60", "sum(order.amount) / count(order) > 60"),
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
    ("R9 offered", "latest(order) in top 10% of buyers", "latest(order) in top 10% of buyers@1"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "expected"), [row[1:] for row in BOUND], ids=[row[0] for row in BOUND])
def test_bound(rule: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(RuleError):
            bind(rule)
        return
    condition = bind(rule).condition
    assert condition is not None
    assert format_rule(condition) == expected


@pytest.mark.parametrize("rule", [row[2] for row in BOUND if row[2]])
def test_v2_what_is_bound_stays_as_it_is(rule: str) -> None:
    again = bind(rule).condition
    assert again is not None
    assert format_rule(again) == rule


def test_v2_bound_versions_all_the_way_down() -> None:
    assert bind("in segment vip and last_touch > 30d and churn_risk > 0.5").versions == (
        "buyers@1",
        "churn_risk@4",
        "net_spend@3",
        "touch@2",
        "vip@3",
    )


def test_v2_a_new_version_changes_nothing_bound() -> None:
    bound = bind("segment a: last_touch > 30d")
    later = LIBRARY.publish(bound).publish(bind("define touch@3 = scan"))
    assert "touch@2" in format_rule(later.get("a", 1) or s.Script(()))
    assert bind("last_touch > 30d", later).versions == ("touch@3",)


def test_v1_a_declaration_without_version_is_the_first() -> None:
    assert LIBRARY.newest("buyers") == 1
    assert LIBRARY.newest("touch") == 2


def test_v1_a_version_is_declared_once_and_the_next_is_offered() -> None:
    with pytest.raises(RuleError) as caught:
        bind("define touch@2 = scan")
    assert (caught.value.column, caught.value.reason, caught.value.suggestions) == (8, "version", ("touch@3",))
    with pytest.raises(RuleError, match="cannot change"):
        bind("define d = scan define d = order")
    assert LIBRARY.publish(bind("define touch@2 = order or scan")) == LIBRARY


def test_published_text_comes_back_as_it_was() -> None:
    texts = [format_rule(rule) for rule in LIBRARY.rules.values()]
    assert Library.from_texts(reversed(texts)) == LIBRARY


def test_statements_may_use_each_other_in_any_order() -> None:
    bound = check_and_bind("segment a: m > 1 metric m = count(d) define d = order", CATALOG, Library())
    assert [format_rule(rule) for rule in bound.statements] == [
        "segment a@1: m@1 > 1",
        "metric m@1 = count(d@1)",
        "define d@1 = order",
    ]
    assert bound.versions == ("a@1", "d@1", "m@1") or bound.versions == ("d@1", "m@1")


CYCLES = [
    ("define a = b define b = a", "a@1 → b@1 → a@1"),
    ("metric m = m + 1", "m@1 → m@1"),
    ("segment s: in segment t segment t among u: x = 1 segment u: in segment s", "s@1 → t@1 → u@1 → s@1"),
    ("segment s: m > 1 metric m = quintile(points among s)", "s@1 → m@1 → s@1"),
    ("tag t: 'a' when t = 'a'", "t@1 → t@1"),
    ("define d = order where (person.m > 1) metric m = count(d)", "d@1 → m@1 → d@1"),
]


@pytest.mark.parametrize(("text", "cycle"), CYCLES)
def test_e2_a_cycle_is_printed(text: str, cycle: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_and_bind(text, CATALOG, Library())
    assert caught.value.reason == "cycle"
    assert cycle in caught.value.message


def test_e2_a_rule_may_use_an_older_version_of_itself() -> None:
    bound = bind("define touch@3 = touch@2 or refund")
    assert bound.versions == ("touch@2",) or "touch@2" in bound.versions


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("segment city: points = 1", 9, "an attribute"),
        ("define order = scan", 8, "an event type"),
        ("metric channel = points", 8, "a built-in"),
        ("segment touch: points = 1", 9, "a definition"),
        ("metric 城市 = points", 8, "alias"),
        ("metric churn_risk = points", 8, "an attribute"),
    ],
)
def test_n12_one_namespace(text: str, column: int, what: str) -> None:
    with pytest.raises(RuleError, match=what) as caught:
        bind(text)
    assert (caught.value.column, caught.value.reason) == (column, "name")


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("use day starts 04:00", 1, "scope"),  # X5
        ("tag t: 'a' when points = 1; else 3", 34, "type"),  # X2
        ("tag t: heavy when points = 1", 8, "name"),  # N1
        ("metric m = tastes", 12, "type"),
        ("segment s among nobody: points = 1", 17, "name"),
    ],
)
def test_refused_statements(text: str, column: int, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        bind(text)
    assert (caught.value.column, caught.value.reason) == (column, reason)


def test_s2_a_sample_in_a_segment_or_tag_needs_no_seed() -> None:
    bind("segment s: sample 10%")
    bind("tag t: 'a' when sample 10%; else 'b'")


def test_x1_an_error_in_any_clause_is_an_error_of_the_rule() -> None:
    for rule in ("points = 1 or nothing = 1", "nothing = 1 or points = 1"):
        with pytest.raises(RuleError):
            bind(rule)


def test_rules_of_the_world_are_what_they_say() -> None:
    assert check_and_bind(RULES, CATALOG, LIBRARY).statements == tuple(LIBRARY.rules.values())
