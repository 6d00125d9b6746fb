"""The tree builder: values of tokens, and literals that are invalid without a catalog."""

import datetime as dt
from decimal import Decimal

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl import syntax as s

# text, column, part of the message
INVALID = [
    ("did order in last 0d", 19, "empty duration"),  # G9
    ("did order on 2026-02-30", 14, "does not exist"),
    ("did order since 2026-01-01 25:00", 17, "does not exist"),
    ("home within 3km of (131.2, 31.4)", 20, "latitude, longitude"),  # P3
    ("touch@0 > 3", 6, "begin at 1"),
    ("did order in last 400000d", 19, "more than a thousand years"),
    ("home within 50000km of (1, 2)", 13, "more than once around the earth"),
]


@pytest.mark.parametrize(("text", "column", "message"), INVALID, ids=[text for text, _, _ in INVALID])
def test_an_invalid_literal_is_an_error_at_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse_condition(text)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (1, column, "value")


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1.50", s.Number(Decimal("1.50"))),
        ("-2", s.Number(Decimal(-2))),
        ("50%", s.Percent(Decimal(50))),
        ("'it''s'", s.Text("it's")),
        ('"a ""b"""', s.Text('a "b"')),
        ("true", s.Boolean(True)),
        ("`true`", s.Path(s.Ref("true", quoted=True))),
        ("15min", s.Duration(15, "min")),
        ("2026-01-31", s.Date(dt.date(2026, 1, 31))),
        ("2026-01-31T09:30", s.DateTime(dt.datetime(2026, 1, 31, 9, 30))),
        ("a@2.b['c d']", s.Path(s.Ref("a", 2), (s.Key("b"), s.Text("c d")))),
        ("1 - 2 - 3", s.Arithmetic("-", s.Arithmetic("-", *map(s.Number, map(Decimal, (1, 2)))), s.Number(Decimal(3)))),
        ("count(a ever)", s.Aggregate("count", s.Path(s.Ref("a")))),
    ],
)
def test_a_literal_becomes_a_node_with_its_value(literal: str, value: s.Expr) -> None:
    assert parse_condition(f"x = {literal}") == s.Compare(s.Path(s.Ref("x")), "=", value)


def test_names_are_normalized() -> None:
    assert parse_condition("ｘ = 1") == parse_condition("x = 1")


def test_g2_a_minus_sign_belongs_to_a_value() -> None:
    assert parse_condition("a < -5") == parse_condition("a < - 5")
    with pytest.raises(RuleError):
        parse_condition("a < +5")


def test_g10_backquotes_and_quotes() -> None:
    assert parse_condition("order.`times` > 3") == s.Compare(
        s.Path(s.Ref("order"), (s.Key("times"),)),
        ">",
        parse_condition("x > 3").right,  # type: ignore[union-attr]
    )
    assert parse_condition("x = 'last'") == s.Compare(s.Path(s.Ref("x")), "=", s.Text("last"))


def test_an_event_without_a_window_is_ever_and_without_times_has_none() -> None:
    assert parse_condition("did order") == s.Did(s.Event(s.Step(s.Ref("order")), None, s.Ever()))


def test_a_sum_has_at_most_a_hundred_terms() -> None:
    parse_condition(" + ".join(["a"] * 100) + " > 1")
    with pytest.raises(RuleError, match="more than 100 terms"):
        parse_condition(" + ".join(["a"] * 101) + " > 1")


def test_a_test_keeps_its_parts_in_order() -> None:
    (test,) = parse(
        "test 'x' { given anna {level: gold} given anna did order at 2026-01-01 {amount: 3}"
        " when as of 2026-01-02 then anna in segment vip then anna not in segment lapsed then anna.tier = 'a' }"
    ).statements
    assert isinstance(test, s.Test)
    assert [type(part) for part in (*test.given, *test.then)] == [
        s.GivenPerson, s.GivenEvent, s.ThenIn, s.ThenNotIn, s.ThenValue
    ]  # fmt: skip
    assert test.as_of == s.Date(dt.date(2026, 1, 2))
