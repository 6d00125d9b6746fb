"""Clauses in words: conditions, events, windows, values and people, in both languages."""

from dataclasses import replace

import pytest

from quanyu.dsl import Language, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.binding.unknowns import UnknownCause
from quanyu.dsl.explaining.clause_writer import ClauseWriter
from quanyu.dsl.explaining.window_descriptions import WindowDescriptions
from tests.unit.dsl.explaining.sentences import explain_clause
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def writer(language: Language = "en", among: s.Ref | None = None) -> ClauseWriter:
    return ClauseWriter(Scope(CATALOG, LIBRARY), WindowDescriptions([], CLOCK, language), language, (), among)


def bound_condition(text: str) -> s.Cond:
    condition = bind(text).condition
    assert condition is not None
    return condition


def value_of(text: str) -> s.Expr:
    """Returns the bound value from the left side of `text > ...`."""
    comparison = bound_condition(text)
    assert isinstance(comparison, s.Compare)
    return comparison.left


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("did order ever", "order has happened.", "曾有过 下单。"),
        ("did not order ever", "order has never happened.", "从未有过 下单。"),
        ("did order at most 1 times", "order happened at most 1 time so far.", "至今有 下单 至多 1 次。"),
        (
            "did not order at least 3 times ever",
            "it is not so that (order happened at least 3 times so far).",
            "并非（至今有 下单 至少 3 次）。",
        ),
        (
            "did order where (amount > 5 and store.city = 'x')",
            "order (where amount is greater than 5 and store.city is 'x') has happened.",
            "曾有过 下单（其中 金额 大于 5，且 门店.city 是 'x'）。",
        ),
        (
            "did (order then order after 1d without scan) ever",
            "order, then order at least 1d later, without scan after it followed each other so far.",
            "至今依次有过 下单，然后 下单（至少隔 24 小时），其后没有 scan。",
        ),
        ("subscribed = true", "subscribed is true; left", "subscribed 是 是；不"),
        (
            "signup_at <= 2026-01-31",
            "signup_at is on or before 2026-01-31, before 2026-02-01 00:00",
            "不晚于 2026-01-31",
        ),
        ("last_order < 90min", "the last order was less than 90min ago, from", "最近一次 下单 距今不到 90 分钟"),
        ("7d <= last_order", "the last order was at least 7d ago, before", "最近一次 下单 距今至少 168 小时"),
        (
            "last_order > last_scan",
            "the time since the last order is greater than the time since the last scan",
            "距今的时间",
        ),
        (
            "points not between 1 and 5",
            "points is not between 1 and 5, both included",
            "points 不在 1 与 5 之间（含两端）",
        ),
        ("renewal in next 2 calendar weeks", "renewal is in the next 2 calendar weeks, from", "未来 2 个完整自然周内"),
        ("points in bottom 100", "points is in the bottom 100 of all people, ties kept", "points 位居 所有人 的后 100"),
        ("city contains 'x'", "city contains 'x'", "城市 包含 'x'"),
        (
            "not (points > 3 and (city is known or subscribed = true))",
            "it is not so that (points is greater than 3 and (city is known or subscribed is true))",
            "并非（points 大于 3，且 （城市 已知，或 subscribed 是 是））",
        ),
    ],
)
def test_a_condition_is_written_in_words(rule: str, english: str, chinese: str) -> None:
    assert english in explain_clause(rule)
    assert chinese in explain_clause(rule, "zh")


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("count(order) > 1", "the number of order", "下单 的次数"),
        ("sum(order.amount) > 1", "the sum of order.amount", "下单.金额 的合计"),
        (
            "max(order.amount in last 7d) > 1",
            "the largest order.amount in the last 7d",
            "最近 168 小时内 下单.金额 的最大值",
        ),
        ("count(order where (amount > 5)) > 1", "the number of order (where amount is greater than 5)", "金额 大于 5"),
        ("last_touch > 1d", "the time since the last touch@2", "最近一次 touch@2 距今的时间"),
        ("first_seen > 1d", "the time since the first time that the person was seen", "首次出现 距今的时间"),
        ("(points + 1) * 2 > 1", "(points + 1) * 2", "（points + 1） * 2"),
        ("(points default 0) > 1", "(points, or 0 where it is unknown)", "（points，未知时取 0）"),
        ("decile(points) > 1", "the tenth (10 is the highest) of points among all people", "所有人 中的十分位"),
    ],
)
def test_a_value_is_written_in_words(rule: str, english: str, chinese: str) -> None:
    assert writer().expr(value_of(rule)) == english
    assert chinese in writer("zh").expr(value_of(rule))


def test_a_rank_without_a_population_uses_that_of_the_rule() -> None:
    rank = bound_condition("points in top 3")
    assert writer(among=s.Ref("vip", 3)).cond(rank) == "points is in the top 3 of vip@3, ties kept"
    own = bound_condition("points in top 3 of buyers")
    assert writer(among=s.Ref("vip", 3)).cond(own) == "points is in the top 3 of buyers@1, ties kept"


def test_a_reference_has_its_version_and_an_event_its_name_in_the_language() -> None:
    assert (writer().ref(s.Ref("order")), writer("zh").ref(s.Ref("order"))) == ("order", "下单")
    assert writer("zh").ref(s.Ref("touch", 1)) == "touch@1"


def test_a_literal_on_the_left_is_written_on_the_right() -> None:
    left = bound_condition("7d <= last_order")
    assert isinstance(left, s.Compare)
    right = replace(left, left=left.right, op=">=", right=left.left)
    assert writer().cond(left) == writer().cond(right) == "the last order was at least 7d ago"


def test_people_are_described_once_for_each_cause() -> None:
    points, amount = parse_condition("points > 3"), value_of("max(order.amount) > 1")
    assert isinstance(points, s.Compare)
    causes = [
        UnknownCause("no_value", points.left),
        UnknownCause("without_events", amount),
        UnknownCause("no_value", points.left),
        UnknownCause("never_seen"),
    ]
    assert writer().people(causes) == (
        "people whose points is unknown, people without any order.amount, people who were never seen"
    )
    assert writer("zh").people(causes[2:]) == "points 未知的人、从未出现过的人"
    assert writer().people([]) == ""
