"""Queries of the engine about one person."""

from dataclasses import replace
from pathlib import Path

import pytest

from quanyu.dsl import PartCompiler, parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.planning.nodes import Root
from quanyu.runtime.errors import NotFound
from quanyu.tagging.explanation import person_queries
from quanyu.tagging.explanation.person_queries import PersonQueries, at_ms
from tests.oracle.world import SINCE_ALWAYS
from tests.unit.tagging.explanation.shop import ANN, BOB, EVE, NOW, RECORDS, WORLD, Shop, at, changed, did


def queries(shop: Shop, person: int = ANN, known_at: int | None = None) -> PersonQueries:
    return PersonQueries(shop.index, replace(shop.evaluation, known_at=known_at), shop.oneid[person])


def compiled(shop: Shop, text: str) -> Root:
    cond: s.Cond = parse_condition(text)
    evaluation = shop.evaluation
    return PartCompiler(None, evaluation.library, evaluation.catalog, evaluation.clock).compile_root(cond)


def test_counted_events_have_the_newest_ones_and_the_number_of_all(shop: Shop) -> None:
    found = queries(shop).counted_events(NOW, compiled(shop, "did order"), 2)
    assert (found.number, [at_ms(event.occurred_at) for event in found.newest]) == (
        3,
        [at("2026-11-20 10:00"), at("2026-11-01 10:00")],
    )
    assert found.oldest is not None
    assert at_ms(found.oldest.occurred_at) == at("2026-10-01 10:00")


def test_a_person_without_matching_events_has_none(shop: Shop) -> None:
    found = queries(shop, BOB).counted_events(NOW, compiled(shop, "did scan"), 9)
    assert (found.number, list(found.newest), found.oldest) == (0, [], None)


def test_the_first_record_has_the_earliest_instant(shop: Shop) -> None:
    assert queries(shop, EVE).first_record_ms == at("2026-12-05 09:00")
    first = queries(shop, ANN).first_record_ms
    assert first is not None
    assert first <= SINCE_ALWAYS


def test_attributes_change_only_with_their_value(tmp_path: Path) -> None:
    moves = [("2026-11-10 12:00", "北京"), ("2026-11-11 12:00", "北京"), ("2026-12-01 08:00", "上海")]
    shop = Shop(
        tmp_path, replace(WORLD, records=(*RECORDS, *(changed(ANN, at(when), city=city) for when, city in moves)))
    )
    person = queries(shop)
    changes = [at("2026-11-10 12:00"), at("2026-12-01 08:00")]
    assert person.attribute_changes(["city", "age"], at("2026-01-01 00:00"), at("2027-01-01 00:00")) == changes
    assert person.attribute_changes(["city"], changes[0] + 1, changes[1]) == []
    assert [person.profile(at_).attributes["city"].text for at_ in (changes[0], changes[0] + 1)] == ["上海", "北京"]
    shop.engine.close()


def test_a_person_with_more_events_than_the_maximum_does_not_have_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person_queries, "MOST_EVENTS", 4)
    monkeypatch.setattr(person_queries, "_PAGE", 2)
    many = [did(BOB, "scan", "2026-11-20 10:00", number) for number in range(5)]
    shop = Shop(tmp_path, replace(WORLD, records=(*RECORDS, *many)))
    assert [queries(shop, person).has_all_events for person in (BOB, EVE)] == [False, True]
    assert len(queries(shop, BOB).events) == 4
    shop.engine.close()


def test_a_person_is_not_found_before_the_first_record(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WORLD)
    assert queries(shop, EVE).answer.epoch == shop.index.epoch()
    with pytest.raises(NotFound):
        queries(shop, EVE, known_at=0)
    shop.engine.close()
