"""The twenty rules of the introduction parse to the intended trees."""

import pytest

from quanyu.dsl import parse, parse_condition
from quanyu.dsl import syntax as s

RULES = [
    "last_touch > 30d and channel in [pos, miniapp]",
    "did touch ever and did not touch in last 30d",
    "did touch ever and did not touch in last 1 calendar month",
    "did order in last month and did not order in this month",
    "did order at least 3 times in last 30d",
    "did order at least 1 times in at least 3 of last 4 calendar weeks",
    "did order for the first time in last 7d",
    "avg(order.amount in last 90d) > 60",
    "count(order where (channel = delivery) in last 90d) / count(order in last 90d) > 50%",
    "net_spend in top 10% of buyers",
    "quintile(net_spend among buyers) = 5",
    "did (scan then order within 2h without refund then review within 7d) by store_id in last 90d",
    "did order between 2025-01-01 and 2025-01-31",
    "anniversary of birthday in next 7 calendar days",
    "city not in ['上海', '北京'] including unknown",
    "survey.price_sensitivity >= 4 and tastes has any ['spicy', 'vegan']",
    "home within 3km of (31.2304, 121.4737) and churn_risk@4 >= 0.8",
    "was in segment vip@3 30d ago and not in segment vip@3",
    "entered segment at_risk in last 7d and sample 10% seed 'spring'",
]
TAG = (
    "tag frequency: 'heavy' when days(order in last 30d) >= 8; 'medium' when days(order in last 30d) >= 3; else 'light'"
)


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
