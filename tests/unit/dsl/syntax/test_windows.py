"""Each window and recurrence has a class of its own."""

import typing

import pytest

from quanyu.dsl import parse_condition
from quanyu.dsl import syntax as s

EVENT_WINDOWS = {
    "in last 30d": s.LastElapsed, "in last 3 calendar months": s.LastUnits, "in last month": s.LastUnit,
    "in this month": s.ThisUnit, "in 2026-11": s.Month, "today": s.Today, "yesterday": s.Yesterday, "ever": s.Ever,
    "on 2026-01-31": s.OnDay, "between 2026-01-01 and 2026-01-31": s.BetweenDays,
    "between 7d and 30d ago": s.BetweenDurations, "since 2026-01-31": s.Since, "before 2026-01-31": s.Before,
}  # fmt: skip
FUTURE_WINDOWS = {
    "in next 30d": s.NextElapsed, "in next 3 calendar months": s.NextUnits, "in next month": s.NextUnit,
    "tomorrow": s.Tomorrow,
}  # fmt: skip
RECURRENCES = {
    "in each of last 4 calendar weeks": s.InEach, "in at least 3 of last 4 calendar weeks": s.InAtLeast,
    "in at most 3 of last 4 calendar weeks": s.InAtMost, "in exactly 3 of last 4 calendar weeks": s.InExactly,
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), (EVENT_WINDOWS | RECURRENCES).items())
def test_a_window_after_an_event_has_its_class(text: str, kind: type[s.Node]) -> None:
    did = parse_condition(f"did order {text}")
    assert isinstance(did, s.Did)
    assert type(did.pattern.window) is kind


@pytest.mark.parametrize(("text", "kind"), FUTURE_WINDOWS.items())
def test_a_window_in_the_future_after_an_attribute_has_its_class(text: str, kind: type[s.Node]) -> None:
    cond = parse_condition(f"due {text}")
    assert isinstance(cond, s.InWindow)
    assert type(cond.window) is kind


def test_every_window_and_recurrence_has_an_example() -> None:
    assert {*EVENT_WINDOWS.values(), *FUTURE_WINDOWS.values()} == set(typing.get_args(s.Window))
    assert set(RECURRENCES.values()) == set(typing.get_args(s.Recurrence))


def test_between_after_an_attribute_is_a_comparison() -> None:
    assert isinstance(parse_condition("due between 2026-01-01 and 2026-01-31"), s.Between)
    assert isinstance(parse_condition("due between 7d and 30d ago"), s.BetweenAgo)
