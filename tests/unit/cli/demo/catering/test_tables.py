"""The exported tables contain the columns that each system knows, with null for what it does not know."""

from __future__ import annotations

import numpy as np

from quanyu.cli.demo.catering import tables
from quanyu.cli.demo.catering.events import CHANNELS, TYPES, generate_events
from quanyu.cli.demo.catering.people import SHOPS, generate_people

RANDOM = np.random.default_rng(1)
PEOPLE = generate_people(1_000, RANDOM)
EVENTS = generate_events(PEOPLE, 1_772_294_400_000, RANDOM)


def test_members_are_the_card_holders_and_phones_are_partly_unknown() -> None:
    members = tables.members(PEOPLE, RANDOM)
    assert members.num_rows == PEOPLE.card.sum()
    assert members["card"].null_count == 0
    assert members["phone"].null_count == (PEOPLE.card & ~PEOPLE.phone_at_till).sum()
    tastes = [taste for row in members["tastes"].to_pylist() if row for taste in row]
    assert set(tastes) <= set(tables._TASTES)


def test_users_share_their_card_number_with_the_till_if_they_bound_it() -> None:
    users = tables.users(PEOPLE, RANDOM)
    bound = {card for card in users["card"].to_pylist() if card}
    assert len(bound) == PEOPLE.card_in_miniapp.sum()
    assert bound <= set(tables.members(PEOPLE, RANDOM)["card"].to_pylist())


def test_only_orders_and_refunds_have_an_amount_and_only_orders_a_dish() -> None:
    till = tables.till(EVENTS.of("pos"), 0)
    for kind, amount, dish in zip(*(till[name].to_pylist() for name in ("type", "amount", "dish_id")), strict=True):
        assert (amount is not None) == (kind in ("order", "refund"))
        assert (dish is not None) == (kind == "order")
    assert set(till["type"].to_pylist()) <= set(TYPES)


def test_event_numbers_continue_after_earlier_slices() -> None:
    assert tables.delivery(EVENTS.of("delivery"), 500)["number"][0].as_py() == 501


def test_the_miniapp_table_has_the_slip_columns_only_for_scanned_slips() -> None:
    part = EVENTS.of("miniapp", "web")
    table = tables.miniapp(part, 0, PEOPLE)
    assert set(table["channel"].to_pylist()) <= {CHANNELS[1], CHANNELS[3]}
    for name in ("slip_shop", "slip_customer"):
        assert table[name].null_count == (~part.slip).sum()


def test_shops_and_dishes_have_unique_keys() -> None:
    shops = tables.shops()["shop_id"].to_pylist()
    assert len(set(shops)) == len(shops) == SHOPS
    dishes = tables.dishes(RANDOM)["dish_id"].to_pylist()
    assert len(set(dishes)) == len(dishes)
