"""Checks that explanations mention people for whom a clause is unknown."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, note

from quanyu import dsl
from quanyu.dsl.binding import unknowns
from quanyu.dsl.binding.references import Scope
from tests.oracle.generators.conditions import conditions
from tests.oracle.generators.worlds import worlds
from tests.oracle.pair import pair_of
from tests.oracle.world import World
from tests.seed import examples

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(30)
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8))
def test_a_clause_that_is_unknown_for_somebody_mentions_it(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        scope = Scope(pair.catalog, pair.library)
        for text in (text for text in texts if not pair.asks_about_the_future(text)):
            note(text)
            bound = dsl.check_and_bind(text, pair.catalog, pair.library)
            compiled = dsl.compile_condition(bound, pair.library, pair.catalog, pair.clock)
            _, unknown = pair.evaluate(compiled).counts(0)
            assert bound.condition is not None
            said = dsl.explain(bound, pair.library, pair.catalog, pair.clock)
            assert len(said) == len(compiled.clauses)
            if unknown:
                assert list(unknowns.find_in_condition(bound.condition, scope))
                assert any(word in " ".join(said) for word in ("left out: ", "not met by "))
