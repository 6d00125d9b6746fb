"""Statements: versions (V), cycles (E2), the namespace (N12) and what each statement accepts."""

import pytest

from quanyu.dsl import Library, RuleError, check_and_bind, format_rule
from quanyu.dsl import syntax as s
from tests.unit.dsl.world import CATALOG, LIBRARY, RULES, bind


def test_v2_versions_include_indirect_dependencies() -> None:
    assert bind("in segment vip and last_touch > 30d and churn_risk > 0.5").versions == (
        "buyers@1",
        "churn_risk@4",
        "net_spend@3",
        "touch@2",
        "vip@3",
    )


def test_v2_a_new_version_does_not_change_bound_rules() -> None:
    bound = bind("segment a: last_touch > 30d")
    later = LIBRARY.publish(bound).publish(bind("define touch@3 = scan"))
    assert "touch@2" in format_rule(later.get("a", 1) or s.Script(()))
    assert bind("last_touch > 30d", later).versions == ("touch@3",)


def test_v1_a_declaration_without_version_is_version_1() -> None:
    assert LIBRARY.newest("buyers") == 1
    assert LIBRARY.newest("touch") == 2


def test_v1_a_version_is_declared_once_and_the_next_is_suggested() -> None:
    with pytest.raises(RuleError) as caught:
        bind("define touch@2 = scan")
    assert (caught.value.column, caught.value.reason, caught.value.suggestions) == (8, "version", ("touch@3",))
    with pytest.raises(RuleError, match="cannot change"):
        bind("define d = scan define d = order")
    assert LIBRARY.publish(bind("define touch@2 = order or scan")) == LIBRARY


def test_library_from_canonical_texts_equals_the_original() -> None:
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
def test_e2_the_error_shows_the_cycle(text: str, cycle: str) -> None:
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
def test_n12_rejects_a_name_that_is_taken(text: str, column: int, what: str) -> None:
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
def test_rejects_statements_with_position_and_reason(text: str, column: int, reason: str) -> None:
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


def test_binding_published_statements_again_changes_nothing() -> None:
    assert check_and_bind(RULES, CATALOG, LIBRARY).statements == tuple(LIBRARY.rules.values())
