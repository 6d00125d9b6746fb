"""Facts about sampled people."""

from __future__ import annotations

import pytest

from quanyu import dsl
from quanyu.tagging.preview.sampled_facts import facts
from tests.unit.tagging.explanation.shop import ANN, BOB, WORLD, Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"), WORLD)


def shown(shop: Shop, text: str, *persons: int) -> list[dict[str, str]]:
    bound = dsl.check_and_bind(text, shop.evaluation.catalog, shop.evaluation.library)
    assert bound.condition is not None
    found = facts(shop.evaluation, shop.index, bound.condition, [shop.oneid[person] for person in persons])
    return [dict(of_person) for of_person in found]


@pytest.mark.parametrize(
    ("text", "of_ann", "of_bob"),
    [
        ("city = '上海'", {"city": "'上海'"}, {"city": "'北京'"}),
        (
            "spend > 5 and count(order) > 1",
            {"spend@1": "175.5", "count(order)": "3"},
            {"spend@1": "300", "count(order)": "1"},
        ),
        # The nearest hundredth of 175.5 / 3 and of 300 / 1.
        ("avg(order.amount) > 5", {"avg(order.amount)": "58.5"}, {"avg(order.amount)": "300"}),
        ("last_order > 30d", {"last_order": "2d 0h"}, {"last_order": "82d 0h"}),
        (
            "latest(order) before 2027-01-01",
            {"latest(order)": "2026-11-20 10:00"},
            {"latest(order)": "2026-09-01 10:00"},
        ),
        ("last_refund > 30d", {"last_refund": ""}, {"last_refund": ""}),
        ("tastes has any ['vegan']", {"tastes": "['spicy', 'vegan']"}, {"tastes": ""}),
        ("channel in [pos]", {"channel": "['pos']"}, {"channel": "['pos']"}),
        # A computed text is not shown.
        ("latest(order.note) = 'A'", {}, {}),
        ("did (scan then order) ever", {}, {}),
    ],
)
def test_a_fact_is_the_value_in_the_form_of_a_rule(
    shop: Shop, text: str, of_ann: dict[str, str], of_bob: dict[str, str]
) -> None:
    assert shown(shop, text, ANN, BOB) == [of_ann, of_bob]


def test_there_are_no_facts_without_people(shop: Shop) -> None:
    assert shown(shop, "city = '上海'") == []
