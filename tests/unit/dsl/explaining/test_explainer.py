"""Explanations say what a rule means, which instants and versions it rests on, and whom it leaves out."""

import random
from string import Formatter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanyu.dsl import Clock, Language, RuleError, compile_condition, explain, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.explaining.templates import TEMPLATES
from tests.unit.dsl import trees
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def explained(rule: str, clock: Clock = CLOCK, language: Language = "en") -> list[str]:
    bound = bind(rule)
    return explain(bound, LIBRARY.publish(bound), CATALOG, clock, language)


def one(rule: str, language: Language = "en") -> str:
    (line,) = explained(rule, language=language)
    return line


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(trees.conditions, st.randoms(use_true_random=False))
def test_every_clause_has_its_sentence_in_both_languages(cond: s.Cond, chosen: random.Random) -> None:
    try:
        bound = bind(format_rule(Renamer(chosen).tree(cond)))
        compiled = compile_condition(bound, LIBRARY, CATALOG, CLOCK)
    except RuleError:
        return
    for language, end in (("en", "."), ("zh", "。")):
        lines = explain(bound, LIBRARY, CATALOG, CLOCK, language)  # type: ignore[arg-type]
        assert len(lines) == len(compiled.clauses)
        for line in lines:
            assert line.endswith(end)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(trees.conditions, st.randoms(use_true_random=False))
def test_t0_every_window_is_said_with_its_instants(cond: s.Cond, chosen: random.Random) -> None:
    try:
        bound = bind(format_rule(Renamer(chosen).tree(cond)))
        compiled = compile_condition(bound, LIBRARY, CATALOG, CLOCK)
    except RuleError:
        return
    for language in ("en", "zh"):
        said = " ".join(explain(bound, LIBRARY, CATALOG, CLOCK, language))  # type: ignore[arg-type]
        for ms in (ms for window in compiled.windows for ms in (window.from_ms, window.to_ms) if ms is not None):
            assert CLOCK.local_time(ms).replace(tzinfo=None).isoformat(" ", "minutes") in said


def test_both_languages_say_the_same_parts() -> None:
    english, chinese = TEMPLATES["en"], TEMPLATES["zh"]
    assert english.keys() == chinese.keys()
    of_counting = {"times", "units", "unit"}  # English has a plural
    for name in english:
        fields = [{f for _, f, _, _ in Formatter().parse(text) if f} for text in (english[name], chinese[name])]
        assert fields[0] - of_counting == fields[1] - of_counting, name


def test_the_two_thirty_days_are_visibly_different() -> None:
    assert one("did not touch in last 30d") == (
        "touch@2 did not happen in the last 30d, from 2026-10-23 17:30 to 2026-11-22 17:30 "
        "(Asia/Shanghai, exactly 720 hours); touch@2 is order or scan."
    )
    assert one("did not touch in last 1 calendar month") == (
        "touch@2 did not happen in the last 1 calendar month, from 2026-10-01 00:00 to 2026-11-01 00:00 "
        "(Asia/Shanghai, the whole local days 2026-10-01 to 2026-10-31); touch@2 is order or scan."
    )
    assert "最近 720 小时内" in one("did not touch in last 30d", "zh")
    assert "最近 1 个完整自然月内" in one("did not touch in last 1 calendar month", "zh")


def test_elapsed_time_is_hours_even_from_midnight_to_midnight() -> None:
    midnight = NOW - NOW % 86_400_000 - 8 * 3_600_000
    (rolling,) = explained("did order in last 30d", Clock(midnight, "Asia/Shanghai"))
    assert "exactly 720 hours" in rolling
    assert "whole local days" not in rolling


def test_one_sentence_for_each_clause() -> None:
    lines = explained("last_touch > 30d and channel in [pos] and in segment vip")
    assert lines[0].startswith("the last touch@2 was longer ago than 30d, before 2026-10-23 17:30 (Asia/Shanghai)")
    assert lines[1] == "and channel has any of 'pos'."
    assert lines[2].startswith("and the person is in segment vip@3; ")
    assert "net_spend@3 is sum(order.amount in last 90d) - sum(refund.amount in last 90d)" in lines[2]
    assert explained("points > 3 or city = 'x'")[1].startswith("or city is 'x'")


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("city = 'x'", "left out: people whose city is unknown", "不入选：城市 未知的人"),
        ("not (city = 'x')", "left out: people whose city is unknown", "不入选：城市 未知的人"),
        ("last_touch > 3d", "left out: people without any touch@2", "不入选：没有 touch@2 的人"),
        ("last_seen > 3d", "left out: people who were never seen", "不入选：从未出现过的人"),
        (
            "balance / points > 3",
            "left out: people whose balance is unknown, people whose points is unknown, people for whom points is 0",
            "不入选：balance 未知的人、points 未知的人、points 为 0 的人",
        ),
        (
            "points > 3 including unknown",
            "taken in as well: people whose points is unknown",
            "也入选：points 未知的人",
        ),
        (
            "(city = 'x' or points > 3) and subscribed = true",
            "the part about it is not met by people whose city is unknown, people whose points is unknown",
            "其中有关的部分不满足：城市 未知的人、points 未知的人",
        ),
        ("city = 'x' or points > 3", "not met by people whose city is unknown", "不满足：城市 未知的人"),
        (
            "not (points > 3 including unknown)",
            "the part `including unknown` also holds where it is unknown, which it may be for people whose points is",
            "可能未知：points 未知的人",
        ),
        (
            "tier in ['a', level]",
            "the part about it is not met by people whose tier",
            "不满足：tier 未知的人、level 未知的人。",
        ),
        ("tier not in ['a', level]", "unknown, people whose level is unknown.", "未知的人、level 未知的人。"),
        ("(points default 0) > 3", "", ""),
        ("did order where (order.city = 'x')", "", ""),
        ("city is unknown", "", ""),
        ("net_spend > 3", "", ""),
        ("max(order.amount) > 3", "left out: people without any order.amount", "不入选：没有 下单.金额 的人"),
        ("quintile(points among vip) = 5", "people outside vip@3", "vip@3 以外的人"),
    ],
)
def test_u_who_is_left_out_because_unknown(rule: str, english: str, chinese: str) -> None:
    for language, remark in (("en", english), ("zh", chinese)):
        line = explained(rule, language=language)[0]  # type: ignore[arg-type]
        assert remark in line
        if not remark:
            assert not any(word in line for word in ("people", "的人"))


def test_m1_m3_segments_through_time() -> None:
    assert one("not was in segment buyers 30d ago") == (
        "it is not so that (the person was in segment buyers@1 30d ago, at 2026-10-23 17:30 (Asia/Shanghai))."
    )
    entered = one("entered segment buyers in last month")
    assert entered.endswith("only both ends of its window are looked at, not what happened between (M3).")
    past = one("was in segment vip 30d ago")
    assert "`in last 90d` is from 2026-07-25 17:30 to 2026-10-23 17:30" in past


@pytest.mark.parametrize(
    ("times", "offer"),
    [
        ("", "did order exactly 0 times in exactly 3 of last 4 calendar weeks"),
        (" at least 1 times", "did order exactly 0 times in exactly 3 of last 4 calendar weeks"),
        (" at least 3 times", "did order at most 2 times in exactly 3 of last 4 calendar weeks"),
        (" at most 3 times", "did order at least 4 times in exactly 3 of last 4 calendar weeks"),
        (" exactly 3 times", ""),
        (" at least 0 times", ""),
    ],
)
def test_e7_did_not_denies_all_units_together(times: str, offer: str) -> None:
    line = one(f"did not order{times} in exactly 3 of last 4 calendar weeks")
    instead = f": of each unit it is said by `{offer}` (E7)." if offer else " (E7)."
    assert "(Asia/Shanghai, the whole local days 2026-10-19 to 2026-11-15)" in line
    assert line.endswith(f"; `did not` denies the whole{instead}")


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
def test_sentences(rule: str, english: str, chinese: str) -> None:
    assert english in one(rule)
    assert chinese in one(rule, "zh")


def test_statements() -> None:
    assert explained("define d@2 = order or scan") == ["d@2 is order or scan."]
    assert explained("define d@2 = order or scan", language="zh") == ["d@2 即 下单 或 scan。"]
    (segment,) = explained("segment s among vip: points > 3")
    assert segment == "of the people in vip@3 only: points is greater than 3; left out: people whose points is unknown."
    assert "of vip@3, ties kept" in one("segment s among vip: points in top 3")  # R6
    tag = explained("tag t: 'a' when points > 3; else 'b'")
    assert tag == [
        "'a' where points is greater than 3; passed over: people whose points is unknown.",
        "'b' for all others, also where a tier is unknown.",
    ]
    (metric,) = explained("metric m = avg(order.amount in last 7d)")
    assert metric.startswith("m@1 is the average of order.amount in the last 7d; `in last 7d` is from")
    assert metric.endswith("unknown for people without any order.amount in the last 7d.")
