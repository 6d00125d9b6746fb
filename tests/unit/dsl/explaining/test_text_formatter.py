"""Texts in canonical form, in English or Chinese: the meaning and the comments stay the same (G14)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Catalog, Field, Library, RuleError, format_rule, format_text, parse, parse_condition
from quanyu.dsl import syntax as s
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.twenty_rules import RULES, TAG
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

languages = st.sampled_from(["en", "zh"])


@examples(150)
@given(trees.conditions, st.randoms(use_true_random=False), languages, languages)
def test_a_text_means_the_same_in_either_language(cond: s.Cond, chosen: random.Random, first: str, then: str) -> None:
    text = format_rule(Renamer(chosen).tree(cond))
    written = format_text(text, CATALOG, LIBRARY, first)  # type: ignore[arg-type]
    assert format_text(written, CATALOG, LIBRARY, first) == written  # type: ignore[arg-type]
    again = format_text(written, CATALOG, LIBRARY, then)  # type: ignore[arg-type]
    assert again == format_text(text, CATALOG, LIBRARY, then)  # type: ignore[arg-type]
    try:
        meant = bind(text)
    except RuleError:
        return
    assert bind(written).condition == meant.condition
    assert bind(again).condition == meant.condition


@pytest.mark.parametrize("rule", RULES)
def test_the_twenty_rules_survive_both_translations(rule: str) -> None:
    english = format_rule(parse_condition(rule))
    chinese = format_text(rule, CATALOG, LIBRARY, "zh")
    assert format_text(chinese, CATALOG, LIBRARY, "en") == english
    assert parse_condition(format_rule(parse_condition(rule), "zh")) == parse_condition(rule)


def test_the_tag_of_the_twenty_rules_survives_both_translations() -> None:
    assert format_text(format_text(TAG, CATALOG, LIBRARY, "zh"), CATALOG, LIBRARY) == format_rule(parse(TAG))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "city in ['上海'] and did order at least 3 times in last 30d",
            "城市 属于 ['上海'] 且 做过 下单 至少 3 次 在 最近 30d",
        ),
        ("city not in ['上海'] including unknown", "城市 不 属于 ['上海'] 含未知"),
        ("did order in last month", "做过 下单 在 上 月"),
        ("did order in last 3 calendar months", "做过 下单 在 最近 3 自然 月"),
        ("renewal in next week", "renewal 在 下 周"),
        ("renewal in next 1 calendar day", "renewal 在 未来 1 自然 天"),
        ("points between 1 and 5 and city is known", "points 介于 1 至 5 且 城市 已知"),
        (
            "points between max(order.quantity where (paid = true and due is known)) and 5 and city is known",
            "points 介于 最大(下单.quantity 其中 (paid = 是 且 due 已知)) 至 5 且 城市 已知",
        ),
        ("home within 3km of (31.2, 121.4)", "home 不超过 3km 距 (31.2, 121.4)"),
        ("home within 3km of home", "home 不超过 3km 距 home"),
        ("points in top 10% of buyers", "points 位居前 10% 范围 buyers"),
        ("did order in each of last 4 calendar weeks", "做过 下单 在 每个 范围 最近 4 自然 周"),
        ("did (scan then order within 2h) ever", "做过 (scan 然后 下单 不超过 2h) 任何时候"),
        ("not in segment buyers", "不 属于人群 buyers"),
        ("was in segment buyers 30d ago", "曾属于人群 buyers 30d 前"),
        ("sum(order.amount) > 3", "合计(下单.金额) > 3"),
        ("did order where (order.amount > 3) ever", "做过 下单 其中 (下单.金额 > 3) 任何时候"),
        ("did order where (store.city = 'x') ever", "做过 下单 其中 (门店.city = 'x') 任何时候"),
        ("did order where (product.category = 'tea') ever", "做过 下单 其中 (product.品类 = 'tea') 任何时候"),
        ("did order where (person.city = 'x') ever", "做过 下单 其中 (person.城市 = 'x') 任何时候"),
        ("last_order > 30d", "last_下单 > 30d"),
        ("last_touch@2 > 30d", "last_touch@2 > 30d"),
        ("first_seen > 30d and channel in ['pos']", "首次出现 > 30d 且 渠道 属于 ['pos']"),
        ("subscribed = true", "subscribed = 是"),
        ("days(order in last 30d) >= 8", "天数(下单 在 最近 30d) >= 8"),
        ("nobody_declared_this > 3", "nobody_declared_this > 3"),
        ("sum(nothing.amount where (x = 1)) > 3", "合计(nothing.amount 其中 (x = 1)) > 3"),
        ("define d = order or (scan where (shop is known))", "定义 d = 下单 或 (scan 其中 (shop 已知))"),
        ("segment x among buyers: points > 3", "人群 x 限于 buyers: points > 3"),
        ("tag t: 'a' when points > 3; else 'b'", "标签 t: 'a' 当 points > 3; 否则 'b'"),
        ("metric m = avg(order.amount) default 0", "指标 m = 平均(下单.金额) 缺省 0"),
        ("use day starts 04:00", "设置 天 starts 04:00"),
        (
            "test 'a' {\n  given anna did order at 2026-01-02 10:00 {amount: 3}\n"
            "  when as of 2026-02-03\n  then anna in segment buyers\n  then anna.frequency = 'light'\n}",
            "测试 'a' {\n  假设 anna 做过 order 时间 2026-01-02 10:00 {amount: 3}\n"
            "  当 截至 2026-02-03\n  则 anna 属于人群 buyers\n  则 anna.frequency = 'light'\n}",
        ),
    ],
)
def test_g14_g8_a_text_is_translated_both_ways(english: str, chinese: str) -> None:
    assert format_text(english, CATALOG, LIBRARY, "zh") == chinese
    assert format_text(chinese, CATALOG, LIBRARY, "en") == english


def test_an_alias_with_another_meaning_is_not_written() -> None:
    risk = Field("churn_risk@4", "number", aliases=("流失风险",))
    catalog = Catalog(attributes={risk.name: risk})
    assert format_text("churn_risk@4 > 0.8", catalog, Library(), "zh") == "churn_risk@4 > 0.8"
    quoted = Field("level", "text", aliases=("Level", "会员 等级", "当", "等级"))
    assert format_text("level = 'a'", Catalog(attributes={"level": quoted}), Library(), "zh") == "等级 = 'a'"


def test_n1_an_alias_that_is_a_value_on_the_other_side_is_not_written() -> None:
    nick = Field("nick", "enum", values=("城市", "x"))
    catalog = Catalog(attributes={"nick": nick, "city": CATALOG.attributes["city"]})
    assert format_text("nick = city", catalog, Library(), "zh") == "nick = city"
    assert format_text("nick != city and city = 'x'", catalog, Library(), "zh") == "nick != city 且 city = 'x'"
    assert format_text("city = 'x'", catalog, Library(), "zh") == "城市 = 'x'"


def test_an_alias_of_the_event_before_a_property_binds_as_the_declared_name() -> None:
    assert bind("did 下单 where (下单.金额 > 3)").condition == bind("did order where (order.amount > 3)").condition


def test_comments_move_above_their_statement() -> None:
    text = """
    # who buys
    segment a: did order   # often
      at least 3 times  # a note with 'quotes' and # signs

    # the rest
    segment b: city = '#1' and not in segment a
    # that was all
    """
    written = format_text(text, CATALOG, LIBRARY)
    assert written.split("\n") == [
        "# who buys",
        "# often",
        "# a note with 'quotes' and # signs",
        "segment a: did order at least 3 times ever",
        "# the rest",
        "segment b: city = '#1' and not in segment a",
        "# that was all",
    ]
    assert format_text(written, CATALOG, LIBRARY) == written


def test_comments_of_a_condition_without_a_statement_are_kept() -> None:
    assert format_text("points > 3 # many\n# end", CATALOG, LIBRARY, "zh") == "# many\npoints > 3\n# end"


def test_a_text_that_does_not_parse_is_an_error() -> None:
    with pytest.raises(RuleError) as caught:
        format_text("did order 3 times", CATALOG, LIBRARY)
    assert (caught.value.column, len(caught.value.suggestions)) == (11, 3)


def test_events_of_a_definition_in_the_same_text_are_known() -> None:
    text = "segment s: did mine where (amount > 3) ever\ndefine mine = 下单"
    assert format_text(text, CATALOG, LIBRARY, "zh") == "人群 s: 做过 mine 其中 (金额 > 3) 任何时候\n定义 mine = 下单"


def test_definitions_in_a_cycle_are_still_formatted() -> None:
    text = "define a = b\ndefine b = a\nsegment s: did a where (x > 3) ever"
    assert format_text(text, CATALOG, LIBRARY) == text
