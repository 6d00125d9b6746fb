"""Comparisons, ranges and windows over values (C, T)."""

from typing import Any

import pytest

from quanyu.dsl import Clock
from tests.unit.dsl.planning.compiled import DAY, attribute, compiled, cond, days_since_1970, local, text
from tests.unit.dsl.world import NOW


def test_t0_a_recency_records_its_border_as_a_window() -> None:
    (window,) = compiled("last_touch > 30d").windows
    assert (window.text, window.from_ms, window.to_ms) == ("last_touch@2 > 30d", None, NOW - 30 * DAY)


def test_c2_an_ordered_comparison_lists_the_values_that_fit() -> None:
    assert cond("level >= silver") == {"op": "in", "expr": attribute("level"), "items": [text("silver"), text("gold")]}
    assert cond("level < silver")["items"] == [text("bronze")]
    none = cond("level < bronze")["of"][0]
    assert [part["op"] for part in none["of"]] == ["in", "not"]
    both = cond("level > level")
    places = [(tier["when"]["items"][0]["value"]["text"], tier["value"]["num"]) for tier in both["left"]["tiers"]]
    assert places == [("bronze", "0"), ("silver", "1"), ("gold", "2")]
    assert (both["op"], both["left"], both["left"]["otherwise"]) == ("compare", both["right"], None)


def within(expr: Any, start: int | None, end: int | None) -> dict[str, Any]:
    return {"op": "within", "expr": expr, "from": start, "to": end}


@pytest.mark.parametrize(
    ("sign", "start", "end"),
    [
        ("<", None, "2026-01-31"),
        ("<=", None, "2026-02-01"),
        (">", "2026-02-01", None),
        (">=", "2026-01-31", None),
        ("=", "2026-01-31", "2026-02-01"),
    ],
)
def test_c4_an_instant_beside_a_date_is_compared_by_its_day(sign: str, start: str | None, end: str | None) -> None:
    expected = within(attribute("signup_at"), start and local(start), end and local(end))  # type: ignore[arg-type]
    assert cond(f"signup_at {sign} 2026-01-31") == expected
    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[sign]
    assert cond(f"2026-01-31 {flipped} signup_at") == expected


def test_c4_unequal_to_a_date_negates_the_day() -> None:
    inner = within(attribute("signup_at"), local("2026-01-31"), local("2026-02-01"))
    assert cond("signup_at != 2026-01-31") == {"op": "not", "of": inner}


def test_t9_between_includes_a_last_day_and_excludes_a_last_instant() -> None:
    start = local("2026-01-01")
    expected = within(attribute("signup_at"), start, local("2026-02-01"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31") == expected
    expected = within(attribute("signup_at"), start, local("2026-01-31T12:00"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31 12:00") == expected
    day = days_since_1970("2026-01-01")
    assert cond("renewal between 2026-01-01 and 2026-01-31") == within(attribute("renewal"), day, day + 31)


def test_t12_windows_of_attributes_reach_past_as_of_and_dates_use_days() -> None:
    assert cond("signup_at in next 30d") == within(attribute("signup_at"), NOW, NOW + 30 * DAY)
    first = days_since_1970("2026-11-23")
    assert cond("renewal in next 7 calendar days") == within(attribute("renewal"), first, first + 7)
    assert cond("renewal not in next month")["of"]["from"] == days_since_1970("2026-12-01")


def test_c3_a_recency_in_a_window_bounds_the_elapsed_time() -> None:
    parts = cond("last_order between 7d and 30d ago")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">", 7 * DAY), ("<=", 30 * DAY)]
    parts = cond("last_order between 2026-11-01 and 2026-11-21")["of"][0]["of"]
    borders = [(">", NOW - local("2026-11-22")), ("<=", NOW - local("2026-11-01"))]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == borders
    parts = cond("last_order between 7d and 30d")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">=", 7 * DAY), ("<=", 30 * DAY)]


def test_t14_t17_anniversaries_list_month_days_with_the_leap_day() -> None:
    clock = Clock(local("2027-02-20"), "Asia/Shanghai", leap_day="mar1")
    assert cond("anniversary of born in next 9 calendar days", clock=clock) == {
        "op": "anniversary",
        "expr": attribute("born"),
        "years": [{"year": 2027, "month_days": [221, 222, 223, 224, 225, 226, 227, 228, 301, 229]}],
    }
