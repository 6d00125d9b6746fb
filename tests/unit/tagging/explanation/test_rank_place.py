"""The place of one person in a ranking."""

import pytest

from quanyu.dsl import PartCompiler, check_and_bind
from quanyu.dsl import syntax as s
from quanyu.dsl.planning import nodes
from quanyu.tagging.explanation.person_queries import PersonQueries
from quanyu.tagging.explanation.rank_place import describe_place
from quanyu.tagging.explanation.value_witnesses import value_witnesses
from tests.unit.tagging.explanation.shop import ANN, BOB, EVE, NOW, Shop


def place(shop: Shop, text: str, person: int) -> str:
    evaluation = shop.evaluation
    condition = check_and_bind(text, evaluation.catalog, evaluation.library).condition
    assert isinstance(condition, (s.InTop, s.InBottom))
    parts = PartCompiler(None, evaluation.library, evaluation.catalog, evaluation.clock)
    rank = parts.compile_root(condition).cond
    assert isinstance(rank, nodes.Rank)
    queries = PersonQueries(shop.index, evaluation, shop.oneid[person])
    (own,) = value_witnesses(queries, parts, NOW, [condition.expr])
    _, kind = parts.compile_value(condition.expr)
    return describe_place(queries, NOW, rank, None, own, kind)


@pytest.mark.parametrize(
    ("text", "of_ann", "of_bob"),
    [
        ("spend in top 1", "place 2 of 2", "place 1 of 2"),
        ("spend in bottom 1", "place 1 of 2", "place 2 of 2"),
        ("count(order) in top 50%", "place 1 of 2", "place 2 of 2"),
        ("latest(order) in top 1", "place 1 of 2", "place 2 of 2"),
        ("birthday in top 1", "place 1 of 1", "not ranked; ranked people: 1"),
        ("signup_at in top 1", "place 1 of 1", "not ranked; ranked people: 1"),
        ("spend in top 1 of locals", "place 1 of 1", "not ranked; ranked people: 1"),
    ],
)
def test_a_place_counts_the_people_with_a_better_value(shop: Shop, text: str, of_ann: str, of_bob: str) -> None:
    assert (place(shop, text, ANN), place(shop, text, BOB)) == (of_ann, of_bob)


def test_a_value_that_is_cut_has_no_place(shop: Shop) -> None:
    assert place(shop, "count(order) / 7 in top 1", ANN) == "ranked people: 2"


def test_a_person_without_a_record_yet_is_not_ranked(shop: Shop) -> None:
    assert place(shop, "count(order) in top 1", EVE) == "not ranked; ranked people: 2"
