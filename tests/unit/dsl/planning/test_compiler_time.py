"""Windows, days and recencies in the plan message."""

from typing import Any

import pytest

from quanyu.dsl import Clock
from tests.unit.dsl.planning.compiled import DAY, attribute, compiled, cond, days_since_1970, happened, local
from tests.unit.dsl.world import NOW


def test_the_two_thirty_days() -> None:
    rolling, calendar = compiled("did order in last 30d"), compiled("did order in last 1 calendar month")
    assert [(w.text, w.from_ms, w.to_ms) for w in rolling.windows] == [("in last 30d", NOW - 30 * DAY, NOW)]
    assert [(w.text, w.from_ms, w.to_ms) for w in calendar.windows] == [
        ("in last 1 calendar month", local("2026-10-01"), local("2026-11-01"))
    ]


def test_t0_a_recency_echoes_its_border() -> None:
    (window,) = compiled("last_touch > 30d").windows
    assert (window.text, window.from_ms, window.to_ms) == ("last_touch@2 > 30d", None, NOW - 30 * DAY)


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


def test_c4_unlike_a_day() -> None:
    inner = within(attribute("signup_at"), local("2026-01-31"), local("2026-02-01"))
    assert cond("signup_at != 2026-01-31") == {"op": "not", "of": inner}


def test_t9_between() -> None:
    start = local("2026-01-01")
    expected = within(attribute("signup_at"), start, local("2026-02-01"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31") == expected
    expected = within(attribute("signup_at"), start, local("2026-01-31T12:00"))
    assert cond("signup_at between 2026-01-01 and 2026-01-31 12:00") == expected
    day = days_since_1970("2026-01-01")
    assert cond("renewal between 2026-01-01 and 2026-01-31") == within(attribute("renewal"), day, day + 31)


def test_t12_attributes_are_not_cut_and_dates_take_days() -> None:
    assert cond("signup_at in next 30d") == within(attribute("signup_at"), NOW, NOW + 30 * DAY)
    first = days_since_1970("2026-11-23")
    assert cond("renewal in next 7 calendar days") == within(attribute("renewal"), first, first + 7)
    assert cond("renewal not in next month")["of"]["from"] == days_since_1970("2026-12-01")


def test_c3_a_recency_in_a_window_is_its_event_there() -> None:
    parts = cond("last_order between 7d and 30d ago")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">", 7 * DAY), ("<=", 30 * DAY)]
    parts = cond("last_order between 2026-11-01 and 2026-11-21")["of"][0]["of"]
    borders = [(">", NOW - local("2026-11-22")), ("<=", NOW - local("2026-11-01"))]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == borders
    parts = cond("last_order between 7d and 30d")["of"][0]["of"]
    assert [(part["cmp"], part["right"]["value"]["duration"]) for part in parts] == [(">=", 7 * DAY), ("<=", 30 * DAY)]


def test_t1_events_are_cut_at_as_of() -> None:
    assert cond("did order in this month") == happened("order", since=local("2026-11-01"))
    assert cond("did order in 2027-01") == happened("order", since=NOW, to=NOW)


def test_t14_t17_anniversaries() -> None:
    clock = Clock(local("2027-02-20"), "Asia/Shanghai", leap_day="mar1")
    assert cond("anniversary of born in next 9 calendar days", clock=clock) == {
        "op": "anniversary",
        "expr": attribute("born"),
        "years": [{"year": 2027, "month_days": [221, 222, 223, 224, 225, 226, 227, 228, 301, 229]}],
    }


def test_a8_days_count_local_days() -> None:
    aggregate = cond("days(order in last 2d) >= 2")["left"]
    assert aggregate["day_starts"] == [local(f"2026-11-{day}") for day in (20, 21, 22, 23)]
    assert len(cond("days(order) >= 2")["left"]["day_starts"]) == 402
