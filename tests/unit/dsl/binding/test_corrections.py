"""Corrections of texts that parse but whose parts do not fit together: each suggestion binds."""

from collections.abc import Sequence
from typing import Any

import pytest

from quanyu.dsl import Catalog, EventType, Field, RuleError, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.binding import corrections
from quanyu.dsl.model.types import BOOL, NUMBER, RECENCY, UNTYPED, Type
from tests.unit.dsl.world import CATALOG, bind

TEXT, DATE, INSTANT = Type("text"), Type("date"), Type("instant")
LEVEL = Type("enum", values=("bronze", "silver", "gold", "platinum", "diamond"))


def compare(text: str) -> s.Compare:
    node = parse_condition(text)
    assert isinstance(node, s.Compare)
    return node


def right_side(text: str) -> s.Expr:
    return compare(f"x = {text}").right


def check_suggestions_bind(suggestions: Sequence[str]) -> None:
    for suggestion in suggestions:
        bind(suggestion)


@pytest.mark.parametrize(
    ("word", "sign", "expected"),
    [
        ("null", "=", ["is unknown"]),
        ("None", "!=", ["is known"]),
        ("空", "=", ["is unknown"]),
        ("null", "<", []),
        ("null", None, []),
        ("zero", "=", []),
    ],
)
def test_u2_a_test_for_nothing_becomes_a_test_for_unknown(word: str, sign: str | None, expected: list[str]) -> None:
    assert corrections.suggest_unknown_test(word, sign) == expected


@pytest.mark.parametrize(
    ("written", "wanted", "expected"),
    [
        ("30", RECENCY, ["30d"]),
        ("1.5", RECENCY, []),
        ("-3", RECENCY, []),
        ("1", BOOL, ["true"]),
        ("0", BOOL, ["false"]),
        ("2", BOOL, []),
        ("'yes'", BOOL, ["true"]),
        ("'no'", BOOL, ["false"]),
        ("3", TEXT, ["'3'"]),
        ("5%", TEXT, ["'5%'"]),
        ("3", LEVEL, ["'bronze'", "'silver'", "'gold'", "'platinum'"]),
        ("'-3.50'", NUMBER, ["-3.50"]),
        ("'5%'", NUMBER, ["5%"]),
        ("'many'", NUMBER, []),
        ("'2026-01-31'", DATE, ["2026-01-31"]),
        ("'2026-01-31'", INSTANT, ["2026-01-31"]),
        ("'31.1.2026'", DATE, []),
        ("'30d'", RECENCY, ["30d"]),
        ("'0d'", RECENCY, []),
        ("2026-01-31", NUMBER, []),
    ],
)
def test_a_value_of_another_type_becomes_one_of_the_wanted_type(
    written: str, wanted: Type, expected: list[str]
) -> None:
    assert corrections.suggest_values(right_side(written), wanted) == expected


@pytest.mark.parametrize(
    ("text", "left", "expected"),
    [
        ("latest(order) > 7d", INSTANT, ["last_order > 7d"]),
        ("earliest(order) <= 7d", INSTANT, ["first_order <= 7d"]),
        ("latest(order.due) > 7d", DATE, []),
        ("city > 3", TEXT, ["city = '3'"]),
        ("city > 'x'", TEXT, []),
        ("renewal < 7d", DATE, ["renewal in next 7 calendar days", "renewal in last 7 calendar days"]),
        ("signup_at < 5h", INSTANT, ["signup_at in next 1 calendar days", "signup_at in last 1 calendar days"]),
        ("birthday = 05 - 20", Type("month_day"), ["anniversary of birthday on 2026-05-20"]),
        ("birthday = 13 - 20", Type("month_day"), []),
        ("points > 3", NUMBER, []),
    ],
)
def test_a_comparison_of_two_types_becomes_a_clause(text: str, left: Type, expected: list[str]) -> None:
    found = corrections.suggest_clauses(compare(text), left, UNTYPED)
    assert found == expected
    check_suggestions_bind(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order in last 7d", ["did order in last 7d"]),
        ("order not in last 7d", ["did not order in last 7d"]),
        ("order > 7d", ["last_order", "first_order"]),
        ("order between 7d and 9d ago", ["count(order)"]),
        ("order > 2026-01-31", ["latest(order)", "earliest(order)"]),
        ("order > 3", ["count(order)"]),
    ],
)
def test_an_event_as_a_value_becomes_a_value_of_its_events(text: str, expected: list[str]) -> None:
    assert corrections.suggest_event_values(parse_condition(text), s.Path(s.Ref("order"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tastes = 'spicy'", ["tastes in ['spicy']", "tastes has all ['spicy']"]),
        ("tastes != spicy", ["tastes not in ['spicy']", "tastes has none ['spicy']"]),
        ("tastes = survey.a", ["tastes in [survey.a]", "tastes has all [survey.a]"]),
        ("tastes = 3", []),
    ],
)
def test_c5_a_comparison_of_a_set_becomes_a_test_of_members(text: str, expected: list[str]) -> None:
    assert corrections.suggest_set_tests(compare(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("level between bronze and gold", "(level >= bronze and level <= gold)"),
        ("level not between bronze and gold", "not (level >= bronze and level <= gold)"),
    ],
)
def test_a_range_of_an_enum_becomes_two_comparisons(text: str, expected: str) -> None:
    node: Any = parse_condition(text)
    assert corrections.suggest_enum_range(node) == [expected]
    check_suggestions_bind([expected])


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("last_order > 2026-01-31", "2026-01-31", ["latest(order) >= 2026-01-31", "latest(order) < 2026-01-31"]),
        ("first_order < 2026-01-31", "", ["earliest(order) < 2026-01-31", "earliest(order) >= 2026-01-31"]),
    ],
)
def test_c1_a_recency_beside_a_date_becomes_an_instant(text: str, written: str, expected: list[str]) -> None:
    node = compare(text)
    found = corrections.suggest_instant_comparison(node, node.left, written)
    assert found == expected
    check_suggestions_bind(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last_order = 7d", ["last_order between 7d and 8d"]),
        ("last_order != 7d", ["last_order not between 7d and 8d"]),
        ("last_order = 3", []),
    ],
)
def test_c1_a_recency_equal_to_a_duration_becomes_a_range(text: str, expected: list[str]) -> None:
    found = corrections.suggest_recency_range(compare(text))
    assert found == expected
    check_suggestions_bind(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last_order in top 10%", ["latest(order) in top 10%", "latest(order) in bottom 10%"]),
        ("first_order in bottom 3 of vip", ["earliest(order) in top 3 of vip", "earliest(order) in bottom 3 of vip"]),
        ("points + 1 in top 10%", []),
    ],
)
def test_r9_a_ranked_recency_becomes_a_ranked_instant(text: str, expected: list[str]) -> None:
    node: Any = parse_condition(text)
    found = corrections.suggest_ranked_instant(node)
    assert found == expected
    check_suggestions_bind(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quantity > 5", ["did order where (quantity > 5)"]),
        ("order.amount > 5", ["did order where (amount > 5)"]),
        (
            "amount > 5",
            [
                "did order where (amount > 5)",
                "did refund where (amount > 5)",
                "did sale_us where (amount > 5)",
            ],
        ),
        ("note in ['a']", ["did order where (note in ['a'])"]),
        ("store.city = 'x'", ["did order where (store.city = 'x')", "did scan where (store.city = 'x')"]),
    ],
)
def test_n4_a_property_outside_where_is_rejected_with_the_filter_of_its_events(text: str, expected: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        corrections.reject_property_outside_where(parse_condition(text), CATALOG)
    assert (caught.value.column, caught.value.reason) == (1, "scope")
    assert list(caught.value.suggestions) == expected
    check_suggestions_bind(expected)


@pytest.mark.parametrize("text", ["unknown_name > 5", "quantity@2 > 5", "3 > 5", "note.city = 'x'"])
def test_n4_other_values_are_not_rejected(text: str) -> None:
    corrections.reject_property_outside_where(parse_condition(text), CATALOG)


def test_n4_at_most_four_events_are_suggested() -> None:
    events = {f"e{n}": EventType(f"e{n}", {"size": Field("size", "number")}) for n in range(9)}
    with pytest.raises(RuleError) as caught:
        corrections.reject_property_outside_where(parse_condition("size > 3"), Catalog(events))
    assert len(caught.value.suggestions) == corrections.MAX_SUGGESTIONS


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        ("sum", ["amount", "quantity"]),
        ("max", ["amount", "due", "quantity"]),
        ("distinct", ["amount", "city", "due", "note"]),
    ],
)
def test_a4_a9_an_aggregate_has_the_properties_that_it_accepts(fn: str, expected: list[str]) -> None:
    fields = CATALOG.event_types["order"].properties.values()
    assert corrections.properties_for_aggregate(fn, fields) == expected


def test_values_are_quoted() -> None:
    assert corrections.quote_values(["a", "b c"]) == ["'a'", "'b c'"]
