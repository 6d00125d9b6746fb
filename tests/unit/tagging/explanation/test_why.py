"""The reasons on a small hand-made world, through the real engine."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quanyu import dsl
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.engine import Ingestor
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.explanation.why import explain_membership, published_segment, written_rule
from quanyu.tagging.explanation.wording import WORDS, local, said
from tests.oracle.engine import RECEIVED_AT, Engine
from tests.oracle.world import SINCE_ALWAYS, Change, Event, Instant, World, handles, to_record

DAY = 86_400_000
TRUE, FALSE, UNKNOWN, OUTSIDE = 1, 2, 3, 4
LIBRARY = """
define touch = order or scan
metric spend = sum(order.amount in last 90d)
segment buyers: did order
segment locals among buyers: city = '上海'
segment big among buyers: spend >= 100
"""


def at(text: str) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return int(moment.timestamp() * 1000)


NOW = at("2026-11-22 10:00")


def did(person: int, kind: str, when: str, number: int = 0, **properties: Any) -> Event:
    key = f"{person} {kind} {when} {number}"
    return Event(person, "till", key, kind, at(when), "pos", properties, handles(person))


def changed(person: int, when: int, **attributes: Any) -> Change:
    return Change(person, "crm", f"{person} {when} {sorted(attributes)}", when, attributes, handles(person))


ANN, BOB, EVE = 1, 2, 3
RECORDS = (
    did(ANN, "scan", "2026-11-01 09:00", shop="s0"),
    did(ANN, "order", "2026-11-01 10:00", amount=Fraction(30), store_id="s0", note="A"),
    did(ANN, "order", "2026-11-20 10:00", amount=Fraction("45.5"), store_id="s1", note="B"),
    did(ANN, "order", "2026-10-01 10:00", amount=Fraction(100), store_id="s1"),
    did(BOB, "order", "2026-09-01 10:00", amount=Fraction(300)),
    changed(
        ANN,
        SINCE_ALWAYS,
        city="上海",
        birthday=dt.date(1990, 12, 1),
        signup_at=Instant(at("2026-11-21 08:00")),
        tastes=frozenset({"vegan", "spicy"}),
    ),
    changed(BOB, SINCE_ALWAYS, city="北京"),
    # Nothing of hers is there before December.
    did(EVE, "scan", "2026-12-05 09:00"),
)
WORLD = World("Asia/Shanghai", 0, 1, False, NOW, RECORDS, {"store": {"s0": {"town": "上海"}}})


class Shop:
    def __init__(self, folder: Path, world: World) -> None:
        self.engine = Engine(folder, world)
        self.index = self.engine.index
        self.oneid = self.engine.oneids(world, self.index.epoch()[0])
        catalog = catalog_of(self.engine.schema, self.index.channels())
        library = dsl.Library().publish(dsl.check_and_bind(LIBRARY, catalog, dsl.Library()))
        clock = clock_of(self.engine.schema.settings, world.as_of, self.index.earliest_ms())
        self.evaluation = EvaluationContext(catalog, library, clock)

    def why(self, text: str, person: int = ANN, when: int = NOW, known_at: int | None = None) -> Any:
        evaluation = replace(self.evaluation, clock=replace(self.evaluation.clock, as_of_ms=when), known_at=known_at)
        return explain_membership(self.index, written_rule(evaluation, text), self.oneid[person])

    def clause(self, text: str, person: int = ANN) -> Any:
        (clause,) = self.why(text, person).clauses
        return clause

    def flip(self, text: str, person: int = ANN, when: int = NOW) -> tuple[int | None, int]:
        flip = self.why(text, person, when).flip
        return flip.at.ToMilliseconds() if flip.HasField("at") else None, flip.verdict


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"), WORLD)
    yield made
    made.engine.close()


def days_of(clause: pb.ClauseVerdict) -> list[str]:
    """Month and day of the events that it shows."""
    events = [witness.event for witness in clause.witnesses if witness.HasField("event")]
    zone = ZoneInfo("Asia/Shanghai")
    return [f"{event.occurred_at.ToDatetime(dt.UTC).astimezone(zone):%m-%d}" for event in events]


def measures(clause: pb.ClauseVerdict) -> dict[str, str]:
    found = [witness.measure for witness in clause.witnesses if witness.HasField("measure")]
    return {measure.text: measure.value.decimal or measure.value.text for measure in found}


# --- events ---------------------------------------------------------------------------------------


def test_events_that_count_are_shown_newest_first(shop: Shop) -> None:
    clause = shop.clause("did order at least 2 times in last 30d")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-20", "11-01"])
    assert clause.because == "2 events from 2026-10-23 10:00 to 2026-11-22 10:00"
    assert (clause.line, clause.column) == (1, 1)


def test_a_filter_decides_which_events_count(shop: Shop) -> None:
    assert days_of(shop.clause("did order where (store.town = '上海')")) == ["11-01"]
    assert days_of(shop.clause("did touch where (channel = 'pos') in last 30d")) == ["11-20", "11-01", "11-01"]
    broken = shop.clause("did not order where (amount > 40) in last 30d")
    assert (broken.verdict, days_of(broken)) == (FALSE, ["11-20"])


def test_nothing_in_the_window_is_said(shop: Shop) -> None:
    clause = shop.clause("did not order in last 30d", BOB)
    assert (clause.verdict, list(clause.witnesses)) == (TRUE, [])
    assert clause.because == "no event from 2026-10-23 10:00 to 2026-11-22 10:00"


def test_the_first_event_is_shown_also_where_it_lies_before_the_window(shop: Shop) -> None:
    clause = shop.clause("did order for the first time in last 30d")
    assert (clause.verdict, days_of(clause)) == (FALSE, ["10-01"])
    assert clause.because == "the first was at 2026-10-01 10:00"


def test_of_many_events_ten_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    many = [did(ANN, "order", "2026-11-20 10:00", number, amount=Fraction(5)) for number in range(13)]
    shop = Shop(tmp_path, replace(WORLD, records=(*many, changed(ANN, SINCE_ALWAYS, city="上海"))))
    clause = shop.clause("did order in last 30d")
    assert (len(clause.witnesses), clause.more_events) == (10, 3)
    assert clause.because.startswith("13 events")
    shop.engine.close()


def test_units_are_told_one_by_one(shop: Shop) -> None:
    clause = shop.clause("did order in at least 1 of last 3 calendar weeks")
    assert (clause.verdict, clause.because) == (TRUE, "it holds in 1 of the last 3 weeks")
    assert [(part.text, part.verdict, days_of(part)) for part in clause.parts] == [
        ("did order between 2026-10-26 and 2026-11-01", TRUE, ["11-01"]),
        ("did order between 2026-11-02 and 2026-11-08", FALSE, []),
        ("did order between 2026-11-09 and 2026-11-15", FALSE, []),
    ]
    assert (clause.parts[0].line, clause.line) == (0, 1)


# --- sequences ------------------------------------------------------------------------------------


def test_a_choice_of_events_that_fits_is_shown(shop: Shop) -> None:
    clause = shop.clause("did (scan then order within 2h) by store in last 30d")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-01", "11-01"])
    assert clause.because == "the steps fit: scan at 2026-11-01 09:00, order at 2026-11-01 10:00"


def test_of_a_sequence_that_does_not_fit_the_longest_beginning_is_shown(shop: Shop) -> None:
    clause = shop.clause("did (scan then order within 2h then refund) ever")
    assert clause.verdict == FALSE
    assert clause.because.startswith("the first 2 of 3 steps fit: scan at")
    assert shop.clause("did (refund then order) ever").because == "no step fits"


def test_a_forbidden_event_after_the_last_step_leaves_the_choice_before_it_out(shop: Shop) -> None:
    clause = shop.clause("did (order without scan) ever")
    assert (clause.verdict, days_of(clause)) == (TRUE, ["11-20"])
    assert shop.clause("did (scan then order where (note = 'A') without order) ever").verdict == FALSE
    apart = shop.clause("did (scan then order where (note = 'A') without order) by store ever")
    assert (apart.verdict, days_of(apart)) == (TRUE, ["11-01", "11-01"])


# --- values ---------------------------------------------------------------------------------------


def test_values_of_both_sides(shop: Shop) -> None:
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


def test_a_value_with_more_digits_is_cut_and_says_so(shop: Shop) -> None:
    clause = shop.clause("count(order) / 7 > 1")
    measure = clause.witnesses[0].measure
    assert (measure.value.decimal, measure.cut) == ("0.428571", True)
    assert "about 0.428571" in clause.because


def test_attributes_and_recencies(shop: Shop) -> None:
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
    assert shop.clause("last_refund > 30d").because == "last_refund is unknown: there is none"


def test_a_rank_says_the_place(shop: Shop) -> None:
    clause = shop.clause("spend in top 1 of buyers")
    assert (clause.verdict, clause.because) == (FALSE, "spend@1 is 175.5; place 2 of 2")
    outside = shop.why("spend in top 1 of locals", BOB).clauses[0]
    assert outside.because == "spend@1 is 300; not one of the 1 who are ranked"


# --- brackets and segments ------------------------------------------------------------------------


def test_brackets_are_told_part_by_part(shop: Shop) -> None:
    clauses = shop.why("did order and (city = '北京' or not (age > 30))").clauses
    assert [clause.text for clause in clauses] == ["did order ever", "city = '北京' or not (age > 30)"]
    assert [(part.text, part.verdict) for part in clauses[1].parts] == [
        ("city = '北京'", FALSE),
        ("not (age > 30)", UNKNOWN),
    ]
    assert clauses[1].because == "of the parts 1 false, 1 unknown"
    assert [part.text for part in clauses[1].parts[1].parts] == ["age > 30"]
    assert [(clause.line, clause.column) for clause in clauses] == [(1, 1), (1, 16)]


def test_a_segment_is_told_one_level_down(shop: Shop) -> None:
    clause = shop.clause("in segment locals")
    assert (clause.verdict, [part.text for part in clause.parts]) == (TRUE, ["city = '上海'"])
    denied = shop.clause("not in segment locals", BOB)
    assert (denied.verdict, denied.because) == (TRUE, "the part is false")
    assert [part.because for part in denied.parts[0].parts] == ["city is '北京'"]


def test_who_is_not_in_the_among_is_outside_and_told_why(shop: Shop) -> None:
    shop_reading = replace(shop.evaluation, clock=replace(shop.evaluation.clock, as_of_ms=at("2026-09-15 00:00")))
    found = explain_membership(shop.index, published_segment(shop_reading, "locals"), shop.oneid[ANN])
    assert (found.verdict, [clause.text for clause in found.clauses]) == (OUTSIDE, ["in segment buyers@1"])
    assert [part.because for part in found.clauses[0].parts] == ["no event before 2026-09-15 00:00"]
    assert found.flip.verdict == TRUE
    assert found.flip.at.ToMilliseconds() == at("2026-10-01 10:00") + 1


def test_the_past_of_a_segment_is_told_as_of_then(shop: Shop) -> None:
    clause = shop.clause("was in segment big 50d ago")
    assert (clause.verdict, clause.parts[0].text) == (TRUE, "in segment big@1")
    assert clause.because == "in segment big@1 as of 2026-10-03 10:00"
    assert measures(clause.parts[0].parts[0]) == {"spend@1": "100"}
    crossed = shop.clause("entered segment big in last 60d")
    assert [part.verdict for part in crossed.parts] == [FALSE, TRUE]


# --- flips ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flips_at", "verdict"),
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
        # The order of 1 October leaves the ninety days of then.
        ("was in segment big 30d ago", at("2027-01-29 10:00") + 1, FALSE),
        ("did order since 2026-12-01", None, 0),
        ("city = '上海'", None, 0),
        ("did order", None, 0),
    ],
)
def test_the_next_flip(shop: Shop, text: str, flips_at: int | None, verdict: int) -> None:
    assert shop.flip(text) == (flips_at, verdict)


def test_a_flip_says_which_clause_and_how_far_was_looked(shop: Shop) -> None:
    found = shop.why("did order in last 30d and did scan").flip
    assert (found.because, found.approximate) == ("`did order in last 30d` becomes false", False)
    never = shop.why("did order").flip
    assert (never.looked_until.ToMilliseconds(), never.approximate) == (NOW + 400 * DAY, False)
    # What was changed after the as-of and changed back is not found for sure.
    assert shop.why("city = '上海'").flip.approximate


def test_who_is_not_there_yet_flips_when_the_first_record_is(shop: Shop) -> None:
    found = shop.why("did not order", EVE)
    assert (found.verdict, list(found.clauses)) == (OUTSIDE, [])
    assert shop.flip("did not order", EVE) == (at("2026-12-05 09:00") + 1, TRUE)


def test_ranks_are_tried_a_day_at_a_time_and_say_so(shop: Shop) -> None:
    flip = shop.why("spend in top 1 of buyers").flip
    # Bob's only order leaves the ninety days on 30 November at 10:00.
    assert (flip.at.ToMilliseconds(), flip.approximate) == (at("2026-12-01 00:00"), True)


def test_what_is_known_of_attributes_ahead_is_found(tmp_path: Path) -> None:
    moves = changed(ANN, at("2026-12-10 12:34"), city="北京")
    shop = Shop(tmp_path, replace(WORLD, records=(*RECORDS, moves)))
    flip = shop.why("city = '上海'").flip
    assert (flip.at.ToMilliseconds(), flip.verdict, flip.approximate) == (at("2026-12-10 12:34") + 1, FALSE, True)
    shop.engine.close()


# --- when, what was known, and what is refused ----------------------------------------------------


def test_as_of_a_past_instant_later_events_are_to_come(shop: Shop) -> None:
    found = shop.why("did order in last 30d", when=at("2026-11-10 00:00"))
    assert days_of(found.clauses[0]) == ["11-01"]
    assert shop.flip("did order at least 3 times", when=at("2026-11-10 00:00")) == (at("2026-11-20 10:00") + 1, TRUE)


def test_what_came_later_is_no_fact_of_what_was_known_before(tmp_path: Path) -> None:
    filling = tuple(did(BOB, "scan", "2026-01-01 10:00", number) for number in range(8))
    first, *rest = [did(ANN, "order", f"2026-11-1{day} 10:00") for day in range(4)]
    shop = Shop(tmp_path, replace(WORLD, catalogs={}, records=(first, *filling, *rest)))
    for known_at, days in ((2, ["11-10"]), (None, ["11-13", "11-12", "11-11", "11-10"])):
        found = shop.why("did order in last 30d", known_at=known_at)
        assert days_of(found.clauses[0]) == days
        assert found.basis.epoch.raw_offset == (known_at or shop.index.epoch()[0])
    shop.engine.close()


def test_what_cannot_be_told_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no person 77"):
        explain_membership(shop.index, written_rule(shop.evaluation, "did order"), 77)
    for text, says in [
        ("segment a: did order segment b: did order", "2 segments"),
        ("define visit = scan", "0 segments"),
        ("did ordr", "line 1, column 5"),
        ("nickname matches '('", "cannot be asked"),
    ]:
        with pytest.raises(InvalidInput, match=says):
            shop.why(text)
    for reference in ("touch", "spend@1"):
        with pytest.raises(InvalidInput, match=r"is a (definition|metric); this call needs a segment"):
            published_segment(shop.evaluation, reference)
    with pytest.raises(NotFound, match="did you mean buyers"):
        published_segment(shop.evaluation, "buyer")


def test_a_text_may_declare_what_it_uses(shop: Shop) -> None:
    found = shop.why("define visit = scan segment fresh among buyers: did visit in last 30d")
    assert (found.verdict, days_of(found.clauses[0])) == (TRUE, ["11-01"])


# --- while events arrive --------------------------------------------------------------------------


class Busy:
    """An index into which an event is folded with each of its first answers about a person."""

    def __init__(self, shop: Shop, *coming: Event) -> None:
        self._shop, self._coming = shop, list(coming)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shop.index, name)

    def verdicts(self, *asked: Any) -> Any:
        said = self._shop.index.verdicts(*asked)
        if self._coming:
            engine, event = self._shop.engine, self._coming.pop(0)
            ingestor = Ingestor(engine.raw, engine.rejects, str(engine.folder / "ingest"))
            request = ingestion_pb2.IngestRequest(workspace="w", records=[to_record(event)])
            ingestor.ingest(request.SerializeToString(), RECEIVED_AT)
            ingestor.close()
            engine.fold()
        return said


@pytest.mark.parametrize("times", [1, 500])
def test_an_answer_is_of_one_epoch_also_where_the_person_changes_meanwhile(tmp_path: Path, times: int) -> None:
    shop = Shop(tmp_path, WORLD)
    coming = [did(ANN, "order", "2026-11-21 10:00", number) for number in range(times)]
    asked = written_rule(shop.evaluation, "did order at least 4 times and count(order) >= 4")
    found = explain_membership(Busy(shop, *coming), asked, shop.oneid[ANN])  # type: ignore[arg-type]
    at_the_epoch = shop.why("did order at least 4 times and count(order) >= 4", known_at=found.basis.epoch.raw_offset)
    for answer in (found, at_the_epoch):
        answer.basis.milliseconds = 0
    assert found == at_the_epoch
    assert found.verdict == TRUE
    shop.engine.close()


def test_what_others_do_meanwhile_is_no_reason_to_ask_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WORLD)
    before = shop.index.epoch()[0]
    asked = written_rule(shop.evaluation, "did order")
    busy = Busy(shop, did(BOB, "order", "2026-11-21 10:00"))
    found = explain_membership(busy, asked, shop.oneid[ANN])  # type: ignore[arg-type]
    assert (found.basis.epoch.raw_offset, shop.index.epoch()[0]) == (before, before + 1)
    shop.engine.close()


def test_who_was_erased_is_unknown(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WORLD)
    shop.engine.erase(ANN)
    with pytest.raises(NotFound):
        shop.why("did order")
    shop.engine.close()


# --- the guide ------------------------------------------------------------------------------------


def lines_of(clause: pb.ClauseVerdict, clock: dsl.Clock, indent: str = "") -> Iterator[str]:
    yield f"{indent}{clause.text}: {WORDS[clause.verdict]}, {clause.because}"
    for witness in clause.witnesses:
        occurred = witness.event.occurred_at.ToMilliseconds()
        shown = (
            f"{witness.event.type} at {local(occurred, clock)}" if witness.HasField("event") else said(witness, clock)
        )
        yield f"{indent}  {shown}"
    for part in clause.parts:
        yield from lines_of(part, clock, indent + "  ")


def test_the_example_of_the_guide_is_what_is_answered(shop: Shop) -> None:
    guide = (Path(__file__).parents[4] / "docs/rules/why.md").read_text()
    (rule,) = re.findall(r"```rule\n(.*?)```", guide, re.DOTALL)
    (shown,) = re.findall(r"```why\n(.*?)\n```", guide, re.DOTALL)
    found, clock = shop.why(rule), shop.evaluation.clock
    flip = f"{WORDS[found.flip.verdict]} from {local(found.flip.at.ToMilliseconds(), clock)} on, {found.flip.because}"
    lines = [line for clause in found.clauses for line in lines_of(clause, clock)]
    assert shown.split("\n") == [WORDS[found.verdict], *lines, flip]
