"""Compares the engine with the naive evaluator over random worlds and rules: the same members and unknown people."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, note

from quanyu import dsl
from tests.oracle.generators.conditions import SEGMENTS, conditions, history_conditions
from tests.oracle.generators.worlds import worlds
from tests.oracle.pair import members, pair_of
from tests.oracle.world import World
from tests.seed import examples

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(120)
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8))
def test_the_engine_equals_the_naive_evaluator_for_random_conditions(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@examples(25)
@given(worlds(crowded=True), st.lists(history_conditions(), min_size=8, max_size=8))
def test_the_engine_equals_the_naive_evaluator_for_event_patterns_and_memberships(
    world: World, texts: list[str]
) -> None:
    with pair_of(world) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@examples(30)
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8), st.integers(1, 14))
def test_an_earlier_known_at_sees_only_the_records_that_had_arrived(
    world: World, texts: list[str], offset: int
) -> None:
    with pair_of(world, offset) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@examples(25)
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8), st.none() | st.integers(1, 14), st.booleans())
def test_an_erased_person_counts_as_never_recorded(
    world: World, texts: list[str], offset: int | None, is_purged: bool
) -> None:
    erased = world.records[0].person
    with pair_of(world, offset, erased) as pair:
        while is_purged and pair.engine.index.tidy():
            pass
        for text in texts:
            note(text)
            pair.check(text)


@examples(20)
@given(worlds())
def test_published_segments_and_tags_equal_the_naive_evaluator(world: World) -> None:
    with pair_of(world) as pair:
        for name in SEGMENTS:
            answer = pair.evaluate(dsl.compile_segment(name, 1, pair.library, pair.catalog, pair.clock))
            assert members(answer, 0) == pair.oneids_of(pair.oracle.segment(name)), name
        for name in ("frequency", "maybe"):
            compiled = dsl.compile_tag(name, 1, pair.library, pair.catalog, pair.clock)
            answer = pair.evaluate(compiled)
            for root, value in enumerate(compiled.values):
                expected = {person for person in pair.oracle.universe if pair.oracle.tag(name, person) == value}
                assert members(answer, root) == pair.oneids_of(expected), (name, value)


@examples(20)
@given(worlds(), st.lists(conditions(), min_size=4, max_size=4))
def test_rules_of_one_plan_have_the_same_result_as_each_alone(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        rules = []
        for text in (text for text in texts if not pair.asks_about_the_future(text)):
            bound = dsl.check_and_bind(text, pair.catalog, pair.library)
            rules.append(dsl.compile_condition(bound, pair.library, pair.catalog, pair.clock))
        together = pair.evaluate(*rules)
        for root, rule in enumerate(rules):
            alone = pair.evaluate(rule)
            assert together.roaring(root) == alone.roaring(0)
            assert together.clauses(root) == alone.clauses(0)
