"""Clauses: their verdicts and the reasons."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from quanyu.tagging.explanation.why import explain_membership, published_segment
from tests.oracle.world import SINCE_ALWAYS
from tests.unit.tagging.explanation.shop import (
    ANN,
    BOB,
    FALSE,
    OUTSIDE,
    TRUE,
    UNKNOWN,
    WORLD,
    Shop,
    at,
    changed,
    days_of,
    did,
    measures,
)

# --- events ---------------------------------------------------------------------------------------


def test_counted_events_are_shown_newest_first(shop: Shop) -> None:
    clause = shop.clause("did order at least 2 times in last 30d")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-20", "11-01"])
    assert clause.because == "2 events from 2026-10-23 10:00 to 2026-11-22 10:00"
    assert (clause.line, clause.column) == (1, 1)


def test_a_filter_decides_which_events_count(shop: Shop) -> None:
    assert days_of(shop.clause("did order where (store.town = '上海')")) == ["11-01"]
    assert days_of(shop.clause("did touch where (channel = 'pos') in last 30d")) == ["11-20", "11-01", "11-01"]
    filtered = shop.clause("did not order where (amount > 40) in last 30d")
    assert (filtered.verdict, days_of(filtered)) == (FALSE, ["11-20"])


def test_a_window_without_events_says_so(shop: Shop) -> None:
    clause = shop.clause("did not order in last 30d", BOB)
    assert (clause.verdict, list(clause.witnesses)) == (TRUE, [])
    assert clause.because == "no event from 2026-10-23 10:00 to 2026-11-22 10:00"


def test_the_first_event_is_shown_also_before_the_window(shop: Shop) -> None:
    clause = shop.clause("did order for the first time in last 30d")
    assert (clause.verdict, days_of(clause)) == (FALSE, ["10-01"])
    assert clause.because == "the first was at 2026-10-01 10:00"


def test_at_most_ten_events_are_shown_and_the_others_are_counted(tmp_path: Path) -> None:
    many = [did(ANN, "order", "2026-11-20 10:00", number, amount=Fraction(5)) for number in range(13)]
    shop = Shop(tmp_path, replace(WORLD, records=(*many, changed(ANN, SINCE_ALWAYS, city="上海"))))
    clause = shop.clause("did order in last 30d")
    assert (len(clause.witnesses), clause.more_events) == (10, 3)
    assert clause.because.startswith("13 events")
    shop.engine.close()


def test_units_are_explained_one_by_one(shop: Shop) -> None:
    clause = shop.clause("did order in at least 1 of last 3 calendar weeks")
    assert (clause.verdict, clause.because) == (TRUE, "true in 1 of the last 3 weeks")
    assert [(part.text, part.verdict, days_of(part)) for part in clause.parts] == [
        ("did order between 2026-10-26 and 2026-11-01", TRUE, ["11-01"]),
        ("did order between 2026-11-02 and 2026-11-08", FALSE, []),
        ("did order between 2026-11-09 and 2026-11-15", FALSE, []),
    ]
    assert (clause.parts[0].line, clause.line) == (0, 1)


# --- sequences ------------------------------------------------------------------------------------


def test_a_sequence_shows_events_that_fit_its_steps(shop: Shop) -> None:
    clause = shop.clause("did (scan then order within 2h) by store in last 30d")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-01", "11-01"])
    assert clause.because == "the steps fit: scan at 2026-11-01 09:00, order at 2026-11-01 10:00"


def test_a_sequence_that_does_not_fit_shows_its_longest_beginning(shop: Shop) -> None:
    clause = shop.clause("did (scan then order within 2h then refund) ever")
    assert clause.verdict == FALSE
    assert clause.because.startswith("the first 2 of 3 steps fit: scan at")
    assert shop.clause("did (refund then order) ever").because == "no step fits"


def test_a_forbidden_event_after_the_last_step_excludes_earlier_events(shop: Shop) -> None:
    clause = shop.clause("did (order without scan) ever")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-20"])
    assert shop.clause("did (scan then order where (note = 'A') without order) ever").verdict == FALSE
    by_store = shop.clause("did (scan then order where (note = 'A') without order) by store ever")
    assert (by_store.verdict, days_of(by_store)) == (TRUE, ["11-01", "11-01"])


# --- values ---------------------------------------------------------------------------------------


def test_a_comparison_shows_the_values_of_both_sides(shop: Shop) -> None:
    clause = shop.clause("sum(order.amount in last 90d) / count(order) > 50")
    assert measures(clause) == {
        "sum(order.amount in last 90d) / count(order)": "58.5",
        "sum(order.amount in last 90d)": "175.5",
        "count(order)": "3",
    }
    assert days_of(clause) == ["11-20", "11-01", "10-01"]
    assert measures(shop.clause("spend >= 100")) == {"spend@1": "175.5"}
    assert measures(shop.clause("latest(order.note) = 'A'")) == {"latest(order.note)": "B"}
    assert measures(shop.clause("most(order.store.town) = '北京'")) == {"most(order.store.town)": "上海"}


def test_a_value_with_more_digits_is_truncated_and_marked(shop: Shop) -> None:
    clause = shop.clause("count(order) / 7 > 1")
    measure = clause.witnesses[0].measure
    assert (measure.value.decimal, measure.cut) == ("0.428571", True)
    assert "about 0.428571" in clause.because


def test_attributes_and_recencies_have_their_values_or_are_unknown(shop: Shop) -> None:
    city = shop.clause("city = '北京'")
    assert (city.verdict, city.because, city.witnesses[0].attribute.value.text) == (FALSE, "city is '上海'", "上海")
    unknown = shop.clause("age > 30")
    assert (unknown.verdict, unknown.because) == (UNKNOWN, "age is unknown")
    assert shop.clause("tastes has any ['vegan']").because == "tastes is ['spicy', 'vegan']"
    assert shop.clause("channel in [pos]").because == "channel is ['pos']"
    recency = shop.clause("last_touch > 30d")
    assert recency.witnesses[0].recency.instant.ToMilliseconds() == at("2026-11-20 10:00")
    assert recency.because == "last_touch@1 is 2d, since 2026-11-20 10:00"
    assert days_of(recency) == ["11-20"]
    assert shop.clause("last_refund > 30d").because == "last_refund is unknown: there is no such event"


def test_a_rank_states_the_place(shop: Shop) -> None:
    clause = shop.clause("spend in top 1 of buyers")
    assert (clause.verdict, clause.because) == (FALSE, "spend@1 is 175.5; place 2 of 2")
    outside = shop.why("spend in top 1 of locals", BOB).clauses[0]
    assert outside.because == "spend@1 is 300; not ranked; ranked people: 1"


# --- brackets and segments ------------------------------------------------------------------------


def test_brackets_are_explained_part_by_part(shop: Shop) -> None:
    clauses = shop.why("did order and (city = '北京' or not (age > 30))").clauses
    assert [clause.text for clause in clauses] == ["did order ever", "city = '北京' or not (age > 30)"]
    assert [(part.text, part.verdict) for part in clauses[1].parts] == [
        ("city = '北京'", FALSE),
        ("not (age > 30)", UNKNOWN),
    ]
    assert clauses[1].because == "parts: 1 false, 1 unknown"
    assert [part.text for part in clauses[1].parts[1].parts] == ["age > 30"]
    assert [(clause.line, clause.column) for clause in clauses] == [(1, 1), (1, 16)]


def test_a_segment_is_explained_one_level_deep(shop: Shop) -> None:
    clause = shop.clause("in segment locals")
    assert (clause.verdict, [part.text for part in clause.parts]) == (TRUE, ["city = '上海'"])
    denied = shop.clause("not in segment locals", BOB)
    assert (denied.verdict, denied.because) == (TRUE, "the part is false")
    assert [part.because for part in denied.parts[0].parts] == ["city is '北京'"]


def test_a_person_outside_the_population_gets_the_reason(shop: Shop) -> None:
    past = replace(shop.evaluation, clock=replace(shop.evaluation.clock, as_of_ms=at("2026-09-15 00:00")))
    found = explain_membership(shop.index, published_segment(past, "locals"), shop.oneid[ANN])
    assert (found.verdict, [clause.text for clause in found.clauses]) == (OUTSIDE, ["in segment buyers@1"])
    assert [part.because for part in found.clauses[0].parts] == ["no event before 2026-09-15 00:00"]
    assert found.flip.verdict == TRUE
    assert found.flip.at.ToMilliseconds() == at("2026-10-01 10:00") + 1


def test_a_past_membership_is_explained_as_of_its_instant(shop: Shop) -> None:
    clause = shop.clause("was in segment big 50d ago")
    assert (clause.verdict, clause.parts[0].text) == (TRUE, "in segment big@1")
    assert clause.because == "in segment big@1 as of 2026-10-03 10:00"
    assert measures(clause.parts[0].parts[0]) == {"spend@1": "100"}
    entered = shop.clause("entered segment big in last 60d")
    assert [part.verdict for part in entered.parts] == [FALSE, TRUE]
