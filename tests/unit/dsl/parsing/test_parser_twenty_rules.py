"""The twenty rules of the introduction parse to the intended trees."""

import pytest

from quanyu.dsl import parse, parse_condition
from quanyu.dsl import syntax as s
from tests.unit.dsl.twenty_rules import RULES, TAG


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_parses(rule: str) -> None:
    assert isinstance(parse_condition(rule), s.Node)


def test_rolling_and_calendar_windows_have_different_trees() -> None:
    assert parse_condition(RULES[1]) != parse_condition(RULES[2])


def test_rule_6_has_times_and_repeat() -> None:
    did = parse_condition(RULES[5])
    step = s.Step(s.Ref("order"))
    assert did == s.Did(s.Event(step, s.AtLeast(1), s.InAtLeast(3, s.Units(4, "week"))))


def test_rule_12_keeps_the_order_of_steps() -> None:
    did = parse_condition(RULES[11])
    assert isinstance(did, s.Did)
    assert isinstance(did.pattern, s.Sequence)
    assert did.pattern.later_steps == (
        s.ThenStep(s.Step(s.Ref("order")), None, s.Duration(2, "h")),
        s.WithoutStep(s.Step(s.Ref("refund"))),
        s.ThenStep(s.Step(s.Ref("review")), None, s.Duration(7, "d")),
    )
    assert did.pattern.by == s.Path(s.Ref("store_id"))
    assert did.pattern.window == s.LastElapsed(s.Duration(90, "d"))


def test_rule_20_is_a_tag_with_two_tiers_and_else() -> None:
    (tag,) = parse(TAG).statements
    assert isinstance(tag, s.Tag)
    assert [tier.value for tier in tag.tiers] == [s.Text("heavy"), s.Text("medium")]
    assert tag.otherwise == s.Text("light")
