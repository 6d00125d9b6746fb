"""Explanations: the meaning of a rule, its windows and versions, and the people for whom it is unknown."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import RuleError, compile_condition, explain, format_rule
from quanyu.dsl import syntax as s
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.explaining.sentences import explain_clause, explain_rule
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(150)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_every_clause_has_a_sentence_in_both_languages(cond: s.Cond, chosen: random.Random) -> None:
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


def test_each_clause_has_its_connective_windows_and_meanings() -> None:
    lines = explain_rule("last_touch > 30d and channel in [pos] and in segment vip")
    assert lines[0].startswith("the last touch@2 was longer ago than 30d, before 2026-10-23 17:30 (Asia/Shanghai)")
    assert lines[1] == "and channel has any of 'pos'."
    assert lines[2].startswith("and the person is in segment vip@3; ")
    assert "net_spend@3 is sum(order.amount in last 90d) - sum(refund.amount in last 90d)" in lines[2]
    assert explain_rule("points > 3 or city = 'x'")[1].startswith("or city is 'x'")


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
def test_u_an_explanation_names_the_people_for_whom_the_clause_is_unknown(
    rule: str, english: str, chinese: str
) -> None:
    for language, remark in (("en", english), ("zh", chinese)):
        line = explain_rule(rule, language=language)[0]  # type: ignore[arg-type]
        assert remark in line
        if not remark:
            assert not any(word in line for word in ("people", "的人"))


def test_m1_m3_memberships_at_earlier_instants() -> None:
    assert explain_clause("not was in segment buyers 30d ago") == (
        "it is not so that (the person was in segment buyers@1 30d ago, at 2026-10-23 17:30 (Asia/Shanghai))."
    )
    entered = explain_clause("entered segment buyers in last month")
    assert entered.endswith("only the two ends of its window count, not what happened between them (M3).")
    past = explain_clause("was in segment vip 30d ago")
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
def test_e7_did_not_negates_the_whole_recurrence(times: str, offer: str) -> None:
    line = explain_clause(f"did not order{times} in exactly 3 of last 4 calendar weeks")
    instead = f"; to deny it for each unit, write `{offer}` (E7)." if offer else " (E7)."
    assert "(Asia/Shanghai, the whole local days 2026-10-19 to 2026-11-15)" in line
    assert line.endswith(f"; `did not` denies the whole condition{instead}")


def test_each_kind_of_statement_is_explained() -> None:
    assert explain_rule("define d@2 = order or scan") == ["d@2 is order or scan."]
    assert explain_rule("define d@2 = order or scan", language="zh") == ["d@2 即 下单 或 scan。"]
    (segment,) = explain_rule("segment s among vip: points > 3")
    assert segment == "of the people in vip@3 only: points is greater than 3; left out: people whose points is unknown."
    assert "of vip@3, ties kept" in explain_clause("segment s among vip: points in top 3")  # R6
    tag = explain_rule("tag t: 'a' when points > 3; else 'b'")
    assert tag == [
        "'a' where points is greater than 3; passed over: people whose points is unknown.",
        "'b' for all others, also where a tier is unknown.",
    ]
    (metric,) = explain_rule("metric m = avg(order.amount in last 7d)")
    assert metric.startswith("m@1 is the average of order.amount in the last 7d; `in last 7d` is from")
    assert metric.endswith("unknown for people without any order.amount in the last 7d.")
