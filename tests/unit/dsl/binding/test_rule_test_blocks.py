"""`test` blocks: their names and values are bound, and errors have a place and suggestions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quanyu.dsl import BoundRules, Library, RuleError, check_and_bind
from quanyu.dsl import syntax as s
from quanyu.dsl.model.library import Rule
from tests.unit.dsl.world import CATALOG

HEAVY = "tag frequency: 'heavy' when count(order) > 3; else 'light'"
SEGMENT = "segment lapsed: last_touch > 30d"
TOUCH = "define touch = order or scan"


def bind(*parts: str) -> BoundRules:
    return check_and_bind("\n".join(parts), CATALOG, Library())


def block(given: str = "given anna {points: 1}", then: str = "then anna.points = 1") -> str:
    return f"test 'it' {{ {given} when as of 2026-02-03 {then} }}"


def test_definitions_and_tests_may_have_any_order() -> None:
    parts = [SEGMENT, HEAVY, TOUCH, block(then="then anna in segment lapsed then anna.frequency = heavy")]
    bound = bind(*parts)
    for first in range(1, len(parts)):
        assert bind(*parts[first:], *parts[:first]).tests == bound.tests
    (test,) = bound.tests
    assert test.then == (
        s.ThenIn("anna", s.Ref("lapsed", 1)),
        s.ThenValue("anna", "frequency", s.Text("heavy")),
    )


def test_a_test_is_not_a_rule() -> None:
    bound = bind(SEGMENT, TOUCH, block())
    assert all(isinstance(rule, Rule) for rule in bound.statements)
    assert [name for name, _ in Library().publish(bound).rules] == ["lapsed", "touch"]
    assert bound.versions == bind(SEGMENT, TOUCH).versions


def test_facts_get_declared_names_and_values() -> None:
    given = "given anna {城市: '上海', level: gold, churn_risk: 0.5} given anna did 下单 at 2026-01-02 10:00 "
    (test,) = bind(block(given + "{金额: 12.5, store: 's1', 渠道: pos}")).tests
    profile, order = test.given
    assert [attr.name for attr in profile.attrs] == ["city", "level", "churn_risk@4"]
    assert [attr.name for attr in order.attrs] == ["amount", "store_id", "channel"]
    assert isinstance(order, s.GivenEvent)
    assert order.ref == s.Ref("order")
    assert [attr.value for attr in order.attrs] == [s.Number(Decimal("12.5")), s.Text("s1"), s.Text("pos")]


WRITTEN = [
    ("points: 3", s.Number(Decimal(3))),
    ("balance: -12.50", s.Number(Decimal("-12.50"))),
    ("subscribed: true", s.Boolean(True)),
    ("tastes: [spicy, 'vegan']", (s.Text("spicy"), s.Text("vegan"))),
    ("birthday: '02-29'", s.Text("02-29")),
    ("home: (31.2, 121.4)", s.Point(Decimal("31.2"), Decimal("121.4"))),
]


@pytest.mark.parametrize(("attr", "value"), WRITTEN)
def test_an_attribute_of_each_type_has_its_value(attr: str, value: object) -> None:
    ((given,),) = (test.given for test in bind(block(f"given anna {{{attr}}}", "then anna.points = 1")).tests)
    assert given.attrs[0].value == value


REJECTED = [
    (block("given anna {levl: gold}"), "levl", "name", "level"),
    (block("given anna {level: golf}"), "golf", "name", "'gold'"),
    (block("given anna {level: 3}"), "3", "type", None),
    (block("given anna {points: 'many'}"), "'many'", "type", None),
    (block("given anna {points: 30d}"), "30d", "type", None),
    (block("given anna {points: 0.1234567}"), "0.1234567", "value", None),
    (block("given anna {points: level}"), "level}", "type", None),
    (block("given anna {renewal: 2026-01-02 10:00}"), "2026-01-02", "type", None),
    (block("given anna {tastes: spicy}"), "tastes", "type", "tastes: ['...']"),
    (block("given anna {points: [1]}"), "points", "type", None),
    (block("given anna {survey: 3}"), "survey", "type", None),
    (block("given anna {points: 1, points: 2}"), "points: 2", "name", None),
    (block("given anna did ordr at 2026-01-02"), "ordr", "name", "order"),
    (block("given anna did touch at 2026-01-02") + TOUCH, "touch", "name", "scan"),
    (block("given anna did order at 2026-01-02 {amont: 3}"), "amont", "name", "amount"),
    (block("given anna did order at 2026-01-02 {channel: poss}"), "poss", "name", "'pos'"),
    (block(then="then ana.points = 1"), "then ana", "name", "anna"),
    (block(then="then anna in segment nobody"), "nobody", "name", None),
    (block(then="then anna.frequency = heavi") + HEAVY, "heavi", "name", "'heavy'"),
    (block(then="then anna.pints = 1"), "then anna.pints", "name", "points"),
    (block(then="then anna.points = 'many'"), "'many'", "type", None),
    (block(then=""), "test", "value", "then anna in segment ..."),
    (block() + block(), "test", "name", None),
]


@pytest.mark.parametrize(("text", "at", "reason", "suggestion"), REJECTED)
def test_an_invalid_test_is_an_error_at_its_place(text: str, at: str, reason: str, suggestion: str | None) -> None:
    with pytest.raises(RuleError) as caught:
        bind(text)
    assert caught.value.reason == reason
    assert caught.value.column - 1 in (text.find(at), text.rfind(at))
    if suggestion is not None:
        assert suggestion in caught.value.suggestions


def test_the_numbers_of_tests_and_of_facts_are_limited() -> None:
    blocks = [block().replace("'it'", f"'{n}'") for n in range(101)]
    assert len(bind(*blocks[:100]).tests) == 100
    with pytest.raises(RuleError, match="at most 100 tests") as caught:
        bind(*blocks)
    assert (caught.value.reason, caught.value.line) == ("limit", 101)
    facts = "given anna {points: 1}\n"
    assert len(bind(block(facts * 1_000)).tests[0].given) == 1_000
    with pytest.raises(RuleError) as caught:
        bind(block(facts * 1_001))
    assert (caught.value.reason, caught.value.line) == ("limit", 1_001)
