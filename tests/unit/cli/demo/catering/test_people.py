"""Generated customers have distinct identifiers and are known in at least one place."""

from __future__ import annotations

import numpy as np

from quanyu.cli.demo.catering import people as ids
from quanyu.cli.demo.catering.people import SHARED_DEVICES, SHOPS, generate_people

PEOPLE = generate_people(5_000, np.random.default_rng(1))


def test_each_customer_is_known_in_a_place() -> None:
    assert (PEOPLE.card | PEOPLE.miniapp | PEOPLE.delivery).all()
    assert len(PEOPLE) == 5_000


def test_links_exist_only_between_places_where_a_customer_is_known() -> None:
    assert not (PEOPLE.card_in_miniapp & ~(PEOPLE.card & PEOPLE.miniapp)).any()
    assert not (PEOPLE.slip_scanned & ~(PEOPLE.delivery & PEOPLE.miniapp)).any()
    assert not (PEOPLE.phone_at_till & ~PEOPLE.card).any()
    assert ((PEOPLE.home_shop >= 0) & (PEOPLE.home_shop < SHOPS)).all()


def test_own_devices_are_unique_and_a_few_are_shared() -> None:
    own = PEOPLE.device[PEOPLE.device >= SHARED_DEVICES]
    assert len(np.unique(own)) == len(own)
    assert 0 < len(PEOPLE) - len(own) < len(PEOPLE) / 10


def test_different_people_have_different_identifiers() -> None:
    person = np.arange(len(PEOPLE))
    for make in (ids.cards, ids.phones, ids.unionids, ids.openids, ids.delivery_ids):
        values = make(person).to_pylist()
        assert len(set(values)) == len(values), make.__name__


def test_an_unknown_identifier_is_null() -> None:
    assert ids.cards(np.array([1, 2]), np.array([True, False])).to_pylist()[1] is None
    assert ids.numbered("S", np.array([7]), 3).to_pylist() == ["S007"]
