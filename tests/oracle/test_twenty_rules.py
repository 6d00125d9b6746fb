"""Compares the engine with the naive evaluator on the twenty rules of the introduction to the language.

Worlds have unknown values, merges, splits, copies and shuffled arrival.
"""

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from quanyu import dsl
from tests.oracle.generators.worlds import worlds
from tests.oracle.pair import members, pair_of
from tests.oracle.world import World
from tests.seed import examples
from tests.unit.dsl.twenty_rules import RULES, TAG

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

# The rules refer to these. Scans and orders name their store differently, so `by` uses the reference.
REFERENCED = """
define touch@2 = order or scan or pickup
metric net_spend@3 = sum(order.amount in last 90d) - sum(refund.amount in last 90d)
segment buyers: did order in last 90d
segment vip@3: net_spend > 20
segment at_risk: last_touch > 7d
"""
CONDITIONS = [rule.replace("by store_id", "by store") for rule in RULES]


def test_there_are_twenty_rules() -> None:
    assert len(CONDITIONS) == 19
    assert TAG


@examples(50)
@given(worlds() | worlds(crowded=True), st.none() | st.integers(1, 14))
def test_the_engine_equals_the_naive_evaluator_for_the_twenty_rules(world: World, offset: int | None) -> None:
    with pair_of(world, offset, rules=REFERENCED + TAG) as pair:
        for text in CONDITIONS:
            note(text)
            pair.check(text)
        compiled = dsl.compile_tag("frequency", 1, pair.library, pair.catalog, pair.clock)
        answer = pair.evaluate(compiled)
        for root, value in enumerate(compiled.values):
            expected = {person for person in pair.oracle.universe if pair.oracle.tag("frequency", person) == value}
            assert members(answer, root) == pair.oneids_of(expected), value
