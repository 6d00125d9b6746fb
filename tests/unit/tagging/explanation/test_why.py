"""Explanations of membership: their instant, their epoch and their errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quanyu import dsl
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.engine import Ingestor
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.tagging.explanation.why import explain_membership, published_segment, written_rule
from quanyu.tagging.explanation.wording import WORDS, describe_witness, local
from tests.oracle.engine import RECEIVED_AT
from tests.oracle.world import Event, to_record
from tests.unit.tagging.explanation.shop import ANN, BOB, TRUE, WORLD, Shop, at, days_of, did

# --- instants and errors --------------------------------------------------------------------------


def test_events_after_as_of_do_not_count_yet(shop: Shop) -> None:
    found = shop.why("did order in last 30d", when=at("2026-11-10 00:00"))
    assert days_of(found.clauses[0]) == ["11-01"]
    assert shop.flip("did order at least 3 times", when=at("2026-11-10 00:00")) == (at("2026-11-20 10:00") + 1, TRUE)


def test_an_earlier_known_at_leaves_out_later_records(tmp_path: Path) -> None:
    filling = tuple(did(BOB, "scan", "2026-01-01 10:00", number) for number in range(8))
    first, *rest = [did(ANN, "order", f"2026-11-1{day} 10:00") for day in range(4)]
    shop = Shop(tmp_path, replace(WORLD, catalogs={}, records=(first, *filling, *rest)))
    for known_at, days in ((2, ["11-10"]), (None, ["11-13", "11-12", "11-11", "11-10"])):
        found = shop.why("did order in last 30d", known_at=known_at)
        assert days_of(found.clauses[0]) == days
        assert found.basis.epoch.raw_offset == (known_at or shop.index.epoch()[0])
    shop.engine.close()


def test_an_unknown_person_or_invalid_rule_is_rejected(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no person 77"):
        explain_membership(shop.index, written_rule(shop.evaluation, "did order"), 77)
    for text, message in [
        ("segment a: did order segment b: did order", "2 segments"),
        ("define visit = scan", "0 segments"),
        ("did ordr", "line 1, column 5"),
        ("nickname matches '('", "cannot be evaluated"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            shop.why(text)
    for reference in ("touch", "spend@1"):
        with pytest.raises(InvalidInput, match=r"is a (definition|metric); this call needs a segment"):
            published_segment(shop.evaluation, reference)
    with pytest.raises(NotFound, match="did you mean buyers"):
        published_segment(shop.evaluation, "buyer")


def test_a_text_can_declare_the_rules_that_it_uses(shop: Shop) -> None:
    found = shop.why("define visit = scan segment fresh among buyers: did visit in last 30d")
    assert (found.verdict, days_of(found.clauses[0])) == (TRUE, ["11-01"])


# --- while events arrive --------------------------------------------------------------------------


class ChangingIndex:
    """An index that folds an event after each of its first answers about a person."""

    def __init__(self, shop: Shop, *events: Event) -> None:
        self._shop, self._events = shop, list(events)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shop.index, name)

    def verdicts(self, *arguments: Any) -> Any:
        said = self._shop.index.verdicts(*arguments)
        if self._events:
            engine, event = self._shop.engine, self._events.pop(0)
            ingestor = Ingestor(engine.raw, engine.rejects, str(engine.folder / "ingest"))
            request = ingestion_pb2.IngestRequest(workspace="w", records=[to_record(event)])
            ingestor.ingest(request.SerializeToString(), RECEIVED_AT)
            ingestor.close()
            engine.fold()
        return said


@pytest.mark.parametrize("times", [1, 500])
def test_an_answer_has_one_epoch_also_if_the_person_changes_meanwhile(tmp_path: Path, times: int) -> None:
    shop = Shop(tmp_path, WORLD)
    events = [did(ANN, "order", "2026-11-21 10:00", number) for number in range(times)]
    rule = written_rule(shop.evaluation, "did order at least 4 times and count(order) >= 4")
    found = explain_membership(ChangingIndex(shop, *events), rule, shop.oneid[ANN])  # type: ignore[arg-type]
    at_the_epoch = shop.why("did order at least 4 times and count(order) >= 4", known_at=found.basis.epoch.raw_offset)
    for answer in (found, at_the_epoch):
        answer.basis.milliseconds = 0
    assert found == at_the_epoch
    assert found.verdict == TRUE
    shop.engine.close()


def test_changes_of_other_people_do_not_repeat_the_explanation(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WORLD)
    before = shop.index.epoch()[0]
    rule = written_rule(shop.evaluation, "did order")
    index = ChangingIndex(shop, did(BOB, "order", "2026-11-21 10:00"))
    found = explain_membership(index, rule, shop.oneid[ANN])  # type: ignore[arg-type]
    assert (found.basis.epoch.raw_offset, shop.index.epoch()[0]) == (before, before + 1)
    shop.engine.close()


def test_an_erased_person_is_not_found(tmp_path: Path) -> None:
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
            f"{witness.event.type} at {local(occurred, clock)}"
            if witness.HasField("event")
            else describe_witness(witness, clock)
        )
        yield f"{indent}  {shown}"
    for part in clause.parts:
        yield from lines_of(part, clock, indent + "  ")


def test_the_example_of_the_guide_is_the_answer(shop: Shop) -> None:
    guide = (Path(__file__).parents[4] / "docs/rules/why.md").read_text()
    (rule,) = re.findall(r"```rule\n(.*?)```", guide, re.DOTALL)
    (shown,) = re.findall(r"```why\n(.*?)\n```", guide, re.DOTALL)
    found, clock = shop.why(rule), shop.evaluation.clock
    flip = f"{WORDS[found.flip.verdict]} from {local(found.flip.at.ToMilliseconds(), clock)} on, {found.flip.because}"
    lines = [line for clause in found.clauses for line in lines_of(clause, clock)]
    assert shown.split("\n") == [WORDS[found.verdict], *lines, flip]
