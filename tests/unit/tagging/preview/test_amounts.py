"""Sums of events with an unknown amount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from quanyu import dsl
from quanyu.tagging.preview.amounts import UnknownAmounts, unknown_amounts
from tests.unit.tagging.explanation.shop import ANN, BOB, WORLD, Shop, did


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in which a refund of Ann has no amount, and a refund of Bob has one."""
    refunds = (did(ANN, "refund", "2026-11-02 10:00"), did(BOB, "refund", "2026-11-03 10:00", amount=Fraction(7)))
    made = Shop(tmp_path_factory.mktemp("shop"), replace(WORLD, records=(*WORLD.records, *refunds)))
    yield made
    made.engine.close()


def find(shop: Shop, text: str) -> list[UnknownAmounts]:
    bound = shop.evaluation.bind(text)
    return unknown_amounts(shop.evaluation.with_draft(bound), bound)


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("sum(order.amount) > 3", ["sum(order.amount)"]),
        ("sum(order.amount) > 3 or sum(order.amount) < 0", ["sum(order.amount)"]),
        (
            "segment s: sum(order.amount) > sum(refund.amount)",
            ["sum(order.amount)", "sum(refund.amount)"],
        ),
        ("spend > 3", ["sum(order.amount in last 90d)"]),
        ("in segment big", ["sum(order.amount in last 90d)"]),
        ("metric m = sum(refund.amount)\nsegment s: m > 3", ["sum(refund.amount)"]),
        ("avg(order.amount) > 3 and did order where (amount > 3)", []),
    ],
)
def test_the_sums_of_a_text_and_of_its_rules_are_found_once(shop: Shop, text: str, sums: list[str]) -> None:
    assert [dsl.format_rule(amounts.sum) for amounts in find(shop, text)] == sums


def test_the_root_finds_the_people_with_an_unknown_amount(shop: Shop) -> None:
    orders, refunds = find(shop, "sum(order.amount) > 3 and sum(refund.amount) > 3")
    answer = shop.evaluation.find_roots(shop.index, [orders.root, refunds.root])
    assert [answer.page(root, 0, 9) for root in (0, 1)] == [[], [shop.oneid[ANN]]]


def test_the_sum_limits_the_events(shop: Shop) -> None:
    (recent,) = find(shop, "sum(refund.amount where (channel = 'pos') in last 7d) > 3")
    (older,) = find(shop, "sum(refund.amount where (channel = 'pos') in last 60d) > 3")
    answer = shop.evaluation.find_roots(shop.index, [recent.root, older.root])
    assert [answer.matched(root) for root in (0, 1)] == [0, 1]


def test_the_note_counts_the_people(shop: Shop) -> None:
    (amounts,) = find(shop, "sum(order.amount) > 3")
    notes = [amounts.note(people) for people in (1, 1_234)]
    assert notes[0].startswith("1 person has ")
    assert notes[1].startswith("1,234 people have ")
    assert all("sum(order.amount)" in note for note in notes)
