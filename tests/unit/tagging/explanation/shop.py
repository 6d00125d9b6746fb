"""A small shop in the real engine, and explanations of its people."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quanyu import dsl
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.explanation.why import explain_membership, written_rule
from tests.oracle.engine import Engine
from tests.oracle.world import SINCE_ALWAYS, Change, Event, Instant, World, identifiers_of

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
    return Event(person, "till", key, kind, at(when), "pos", properties, identifiers_of(person))


def changed(person: int, when: int, **attributes: Any) -> Change:
    return Change(person, "crm", f"{person} {when} {sorted(attributes)}", when, attributes, identifiers_of(person))


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
    # Her first record is in December.
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


def days_of(clause: pb.ClauseVerdict) -> list[str]:
    """Returns month and day of the events in a clause."""
    events = [witness.event for witness in clause.witnesses if witness.HasField("event")]
    zone = ZoneInfo("Asia/Shanghai")
    return [f"{event.occurred_at.ToDatetime(dt.UTC).astimezone(zone):%m-%d}" for event in events]


def measures(clause: pb.ClauseVerdict) -> dict[str, str]:
    found = [witness.measure for witness in clause.witnesses if witness.HasField("measure")]
    return {measure.text: measure.value.decimal or measure.value.text for measure in found}
