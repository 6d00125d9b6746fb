"""Windows as instants: each window once, with its length or its local days."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Clock, Language, RuleError, compile_condition, explain, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.explaining.window_descriptions import WindowDescriptions
from quanyu.dsl.planning.compiler import ResolvedWindow
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.explaining.sentences import explain_clause, explain_rule
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIDNIGHT = NOW - NOW % DAY_MS - 8 * HOUR_MS  # in the zone of the clock, UTC+8


def describe(text: str, from_ms: int | None, to_ms: int | None, language: Language = "en") -> str:
    return WindowDescriptions([ResolvedWindow(text, from_ms, to_ms)], CLOCK, language).of(text)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@examples(100)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_t0_an_explanation_contains_the_instants_of_every_window(cond: s.Cond, chosen: random.Random) -> None:
    try:
        bound = bind(format_rule(Renamer(chosen).tree(cond)))
        compiled = compile_condition(bound, LIBRARY, CATALOG, CLOCK)
    except RuleError:
        return
    for language in ("en", "zh"):
        explanation = " ".join(explain(bound, LIBRARY, CATALOG, CLOCK, language))
        for ms in (ms for window in compiled.windows for ms in (window.from_ms, window.to_ms) if ms is not None):
            assert CLOCK.local_time(ms).replace(tzinfo=None).isoformat(" ", "minutes") in explanation


def test_thirty_elapsed_days_differ_from_a_calendar_month() -> None:
    assert explain_clause("did not touch in last 30d") == (
        "touch@2 did not happen in the last 30d, from 2026-10-23 17:30 to 2026-11-22 17:30 "
        "(Asia/Shanghai, exactly 720 hours); touch@2 is order or scan."
    )
    assert explain_clause("did not touch in last 1 calendar month") == (
        "touch@2 did not happen in the last 1 calendar month, from 2026-10-01 00:00 to 2026-11-01 00:00 "
        "(Asia/Shanghai, the whole local days 2026-10-01 to 2026-10-31); touch@2 is order or scan."
    )
    assert "最近 720 小时内" in explain_clause("did not touch in last 30d", "zh")
    assert "最近 1 个完整自然月内" in explain_clause("did not touch in last 1 calendar month", "zh")


def test_elapsed_time_has_hours_even_from_midnight_to_midnight() -> None:
    (rolling,) = explain_rule("did order in last 30d", Clock(MIDNIGHT, "Asia/Shanghai"))
    assert "exactly 720 hours" in rolling
    assert "whole local days" not in rolling


@pytest.mark.parametrize(
    ("text", "from_ms", "to_ms", "expected"),
    [
        ("before 2026-11-22", None, MIDNIGHT, "before 2026-11-22 00:00 (Asia/Shanghai)"),
        ("since 2026-11-22", MIDNIGHT, None, "from 2026-11-22 00:00 on (Asia/Shanghai)"),
        ("was in segment vip on 2026-11-22", MIDNIGHT, MIDNIGHT, "at 2026-11-22 00:00 (Asia/Shanghai)"),
        (
            "yesterday",
            MIDNIGHT - DAY_MS,
            MIDNIGHT,
            "from 2026-11-21 00:00 to 2026-11-22 00:00 (Asia/Shanghai, the whole local days 2026-11-21 to 2026-11-21)",
        ),
        ("today", MIDNIGHT, NOW, "from 2026-11-22 00:00 to 2026-11-22 17:30 (Asia/Shanghai)"),
        (
            "in last 2h",
            NOW - 2 * HOUR_MS,
            NOW,
            "from 2026-11-22 15:30 to 2026-11-22 17:30 (Asia/Shanghai, exactly 2 hours)",
        ),
        (
            "between 1h and 2h ago",
            NOW - 2 * HOUR_MS,
            NOW - HOUR_MS,
            "from 2026-11-22 15:30 to 2026-11-22 16:30 (Asia/Shanghai)",
        ),
    ],
)
def test_a_window_is_described_by_its_ends(text: str, from_ms: int | None, to_ms: int | None, expected: str) -> None:
    assert describe(text, from_ms, to_ms) == expected


def test_the_words_of_a_description_are_those_of_the_language() -> None:
    assert describe("before 2026-11-22", None, MIDNIGHT, "zh") == "早于 2026-11-22 00:00，Asia/Shanghai"


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (MIDNIGHT, "2026-11-22 00:00"),
        (MIDNIGHT + 1_000, "2026-11-22 00:00:01"),
        (MIDNIGHT + 1, "2026-11-22 00:00:00.001"),
        (None, ""),
    ],
)
def test_an_instant_has_no_seconds_or_milliseconds_that_are_zero(ms: int | None, expected: str) -> None:
    assert WindowDescriptions([], CLOCK, "en").instant(ms) == expected


def test_a_window_is_described_once_and_the_others_remain() -> None:
    windows = WindowDescriptions(
        [ResolvedWindow("today", MIDNIGHT, NOW), ResolvedWindow("ever", None, NOW)], CLOCK, "en"
    )
    assert windows.of("yesterday") == ""
    assert windows.of("today")
    assert windows.of("today") == ""
    assert list(windows.left()) == [("ever", "before 2026-11-22 17:30 (Asia/Shanghai)")]


def test_the_window_that_ends_last_belongs_to_the_clause() -> None:
    earlier, own = NOW - 30 * DAY_MS, NOW
    resolved = [ResolvedWindow("in last 1d", end - DAY_MS, end) for end in (earlier, own)]
    windows = WindowDescriptions(resolved, CLOCK, "en")
    assert "to 2026-11-22 17:30" in windows.of("in last 1d")
    assert ["to 2026-10-23 17:30" in reach for _, reach in windows.left()] == [True]
