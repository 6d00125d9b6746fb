"""Test runs: a separate workspace for each test, and messages for failures."""

from __future__ import annotations

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Library, RuleError, check_and_bind
from quanyu.engine import CancelledError, Limits
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.rule_tests.runner import RuleTestResult, run_rule_tests

CITY = event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM)
SCHEMA = event_pb2.Schema(
    event_types=[
        event_pb2.EventType(
            name="order",
            properties=[
                event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY"),
                event_pb2.Field(name="note", type=event_pb2.TYPE_TEXT),
            ],
        ),
        event_pb2.EventType(name="scan"),
    ],
    attributes=[
        CITY,
        event_pb2.Field(name="level", type=event_pb2.TYPE_ENUM, values=["silver", "gold"], ordered=True),
        event_pb2.Field(name="namesday", type=event_pb2.TYPE_MONTH_DAY),
        event_pb2.Field(name="signup_at", type=event_pb2.TYPE_INSTANT),
        event_pb2.Field(name="born", type=event_pb2.TYPE_DATE),
        event_pb2.Field(name="tastes", type=event_pb2.TYPE_SET),
        event_pb2.Field(name="home", type=event_pb2.TYPE_POINT),
        event_pb2.Field(name="member", type=event_pb2.TYPE_BOOL),
    ],
    settings=event_pb2.Settings(timezone="Asia/Shanghai"),
)
# The schema with a value that the workspace has learned from records.
LEARNED = event_pb2.Schema.FromString(SCHEMA.SerializeToString())
LEARNED.attributes[0].values.append("上海")


def evaluation(library: Library | None = None, limits: Limits | None = None) -> EvaluationContext:
    clock = clock_of(SCHEMA.settings, 0, 0)
    return EvaluationContext(catalog_of(LEARNED, ["pos"]), library or Library(), clock, limits=limits)


def run(text: str, library: Library | None = None) -> list[RuleTestResult]:
    return run_rule_tests(evaluation(library), SCHEMA.SerializeToString(), text)


def only(text: str) -> RuleTestResult:
    (result,) = run(text)
    return result


RULES = """
segment buyers: did order ever
segment local among buyers: city = '上海' and did order where (amount > 20) in last 7d
tag rhythm: 'often' when count(order) >= 2; 'once' when count(order) = 1
"""


def test_a_test_passes_if_all_its_expectations_hold() -> None:
    text = """
    test 'anna comes often' {
      given anna {city: '上海', level: gold}
      given anna did order at 2026-01-02 10:00 {amount: 30}
      given anna did order at 2026-02-01 10:00 {amount: 30}
      given bob did order at 2026-02-01 10:00 {amount: 5}
      given cleo did scan at 2026-02-01 10:00
      when as of 2026-02-03
      then anna in segment buyers
      then anna in segment local
      then bob not in segment local
      then cleo not in segment buyers
      then anna.rhythm = 'often'
      then bob.rhythm = 'once'
      then anna.level = gold
    }
    """
    assert only(text + RULES) == RuleTestResult("anna comes often", 2, [])


def test_given_values_of_every_kind_reach_the_rules() -> None:
    text = """
    test 'values' {
      given anna {namesday: '02-29', signup_at: 2026-01-01, born: 2000-02-29, tastes: ['spicy', 'new'], member: true}
      given anna {home: (31.23, 121.47), city: '杭州'}
      given anna did order at 2026-02-02 {amount: -12.345678, note: 'it''s'}
      when as of 2026-02-28 12:00
      then anna in segment all
    }
    segment all: anniversary of namesday today and signup_at between 2026-01-01 00:00 and 2026-01-01 00:01
      and born = 2000-02-29 and tastes has all ['spicy', 'new'] and member = true and city = '杭州'
      and home within 1m of (31.23, 121.47) and sum(order.amount) = -12.345678
      and did order where (note = 'it''s') between 2026-02-02 00:00 and 2026-02-02 00:01
    """
    assert only(text).failures == []


def test_x4_as_of_a_day_is_its_start() -> None:
    text = """
    segment buyers: did order ever
    test 'before the day' {{
      given anna did scan at 2026-01-01
      given anna did order at {at}
      when as of 2026-02-03
      then anna {is_in} segment buyers
    }}
    """
    assert only(text.format(at="2026-02-02 23:59", is_in="in")).failures == []
    assert only(text.format(at="2026-02-03 00:00", is_in="not in")).failures == []


def test_k3_events_of_one_instant_are_in_the_order_of_the_text() -> None:
    text = """
    test 'the later line is the last' {
      given anna did order at 2026-01-02 10:00 {note: 'b'}
      given anna did order at 2026-01-02 10:00 {note: 'a'}
      when as of 2026-02-03
      then anna in segment last_a
      then anna in segment two
    }
    segment last_a: latest(order.note) = 'a'
    segment two: did order exactly 2 times ever
    """
    assert only(text).failures == []


def test_u5_a_person_without_a_record_yet_is_in_no_segment() -> None:
    text = """
    test 'not there yet' {
      given anna did order at 2026-03-01
      when as of 2026-02-03
      then anna not in segment anybody
    }
    segment anybody: (not (city = '上海')) including unknown
    """
    assert only(text).failures == []


def test_a_failure_lists_the_verdict_of_each_clause_and_the_given_facts() -> None:
    text = """test 'why' {
      given anna {level: gold, tastes: ['spicy']}
      given anna did order at 2026-02-01 10:00 {amount: 30}
      given anna did scan at 2026-02-01 11:00
      given bob did order at 2026-02-01 10:00
      when as of 2026-02-03
      then anna in segment local
      then anna.rhythm = 'often'
      then anna not in segment buyers
      then bob.level = gold
    }
    """
    at = "as of 2026-02-03 00:00 (Asia/Shanghai)"
    order = "  given anna did order at 2026-02-01 10:00 {amount: 30}"
    assert only(text + RULES).failures == [
        f"line 7: then anna in segment local: this is false {at}\n"
        "  true: among buyers@1\n  unknown: city = '上海'\n  true: did order where (amount > 20) in last 7d\n" + order,
        f"line 8: then anna.rhythm = 'often': this is false {at}\n"
        "  false: 'often' when count(order) >= 2\n  true: 'once' when count(order) = 1\n" + order,
        f"line 9: then anna not in segment buyers: this is true {at}\n  true: did order ever\n" + order,
        f"line 10: then bob.level = gold: this is unknown {at}\n  the test gives no fact about bob that this reads",
    ]


def test_a_test_can_use_published_rules() -> None:
    bound = check_and_bind(RULES, evaluation().catalog, Library())
    text = """
    test 'newest and older' {
      given anna did scan at 2026-02-01
      when as of 2026-02-03
      then anna in segment buyers
      then anna not in segment buyers@1
    }
    segment buyers@2: did scan ever
    """
    (result,) = run(text, Library().publish(bound))
    assert result.failures == []


@pytest.mark.parametrize(
    ("given", "line", "offer"),
    [
        ("given anna {level: 'golden'}", 2, "'gold'"),
        ("given anna {namesday: '02-30'}", 2, None),
        ("given anna {home: (31.2, 721.4)}", 2, None),
        ("given anna did scan at 1899-12-31", 2, None),
        ("given anna {level: gold} given anna did order at 9999-12-31", 2, None),
    ],
)
def test_a_fact_that_ingestion_rejects_is_an_error_at_its_place(given: str, line: int, offer: str | None) -> None:
    text = f"test 'it' {{\n{given}\nwhen as of 2026-02-03\nthen anna.level = gold }}"
    with pytest.raises(RuleError) as caught:
        run(text)
    assert (caught.value.line, caught.value.text) == (line, text)
    assert offer is None or offer in caught.value.suggestions


@pytest.mark.parametrize(
    "rule", ["city matches '('", "was in segment buyers on 2026-03-01", "did order in last 9999 calendar years"]
)
def test_an_expectation_that_cannot_be_evaluated_fails_with_the_reason(rule: str) -> None:
    test = "test 'it' { given anna {level: gold} when as of 2026-02-03 then anna in segment odd }"
    result = only(f"{test}\nsegment odd: {rule}\n{RULES}")
    (failure,) = result.failures
    assert failure.startswith("line 1: then anna in segment odd: this cannot be evaluated: ")


def test_tests_can_be_written_in_chinese() -> None:
    text = """
    测试 '常客' {
      假设 小明 {level: gold}
      假设 小明 做过 order 时间 2026-02-01 10:00 {amount: 30}
      当 截至 2026-02-03
      则 小明 属于人群 buyers
      则 小明.rhythm = 'once'
    }
    """
    assert only(text + RULES).failures == []


def test_cancelled_limits_end_a_test_run() -> None:
    limits = Limits(2**30)
    limits.cancel()
    text = "test 'it' { given anna {level: gold} when as of 2026-02-03 then anna.level = gold }"
    with pytest.raises(CancelledError):
        run_rule_tests(evaluation(limits=limits), SCHEMA.SerializeToString(), text)
