"""The next change of a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.tagging.explanation.shop import (
    ANN,
    DAY,
    EVE,
    FALSE,
    NOW,
    OUTSIDE,
    RECORDS,
    TRUE,
    WORLD,
    Shop,
    at,
    changed,
)


@pytest.mark.parametrize(
    ("text", "changes_at", "verdict"),
    [
        # An event exactly 720 h ago is in the window (T3), and is not longer ago than 30d.
        ("did order in last 30d", at("2026-12-20 10:00") + 1, FALSE),
        ("last_order > 30d", at("2026-12-20 10:00") + 1, TRUE),
        ("last_order >= 30d", at("2026-12-20 10:00"), TRUE),
        ("did order at least 2 times in last 30d", at("2026-12-01 10:00") + 1, FALSE),
        ("did order in this month", at("2026-12-01 00:00"), FALSE),
        ("did not order in last month", at("2027-01-01 00:00"), TRUE),
        ("anniversary of birthday today", at("2026-12-01 00:00"), TRUE),
        ("anniversary of birthday in next 7 calendar days", at("2026-11-24 00:00"), TRUE),
        ("signup_at in last 7d", at("2026-11-28 08:00") + 1, FALSE),
        ("signup_at in last 90d", at("2027-02-19 08:00") + 1, FALSE),
        ("did order between 60d and 100d ago", at("2026-11-30 10:00") + 1, TRUE),
        # The order of 1 October leaves the ninety days before that instant.
        ("was in segment big 30d ago", at("2027-01-29 10:00") + 1, FALSE),
        ("did order since 2026-12-01", None, 0),
        ("city = '上海'", None, 0),
        ("did order", None, 0),
    ],
)
def test_the_next_change_has_its_instant_and_verdict(
    shop: Shop, text: str, changes_at: int | None, verdict: int
) -> None:
    assert shop.flip(text) == (changes_at, verdict)


def test_a_change_names_the_clause_and_the_searched_period(shop: Shop) -> None:
    found = shop.why("did order in last 30d and did scan").flip
    assert (found.because, found.approximate) == ("`did order in last 30d` becomes false", False)
    never = shop.why("did order").flip
    assert (never.looked_until.ToMilliseconds(), never.approximate) == (NOW + 400 * DAY, False)
    # A change after as-of that was changed back may not be found.
    assert shop.why("city = '上海'").flip.approximate


def test_a_person_without_a_record_changes_at_the_first_record(shop: Shop) -> None:
    found = shop.why("did not order", EVE)
    assert (found.verdict, list(found.clauses)) == (OUTSIDE, [])
    assert shop.flip("did not order", EVE) == (at("2026-12-05 09:00") + 1, TRUE)


def test_ranks_are_evaluated_once_a_day_and_are_approximate(shop: Shop) -> None:
    flip = shop.why("spend in top 1 of buyers").flip
    # Bob's only order leaves the ninety days on 30 November at 10:00.
    assert (flip.at.ToMilliseconds(), flip.approximate) == (at("2026-12-01 00:00"), True)


def test_known_future_values_of_attributes_are_found(tmp_path: Path) -> None:
    moves = changed(ANN, at("2026-12-10 12:34"), city="北京")
    shop = Shop(tmp_path, replace(WORLD, records=(*RECORDS, moves)))
    flip = shop.why("city = '上海'").flip
    assert (flip.at.ToMilliseconds(), flip.verdict, flip.approximate) == (at("2026-12-10 12:34") + 1, FALSE, True)
    shop.engine.close()
