"""The twenty rules of the language's introduction, word for word, hold whom the naive evaluator says.

Over unknowns, merges, splits, copies, late and shuffled arrival, now and by what was known before.
"""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from quanyu import dsl
from tests.oracle.test_oracle import members, pair_of
from tests.oracle.world import World
from tests.oracle.worlds import worlds
from tests.unit.dsl.parsing.test_parser_twenty_rules import RULES, TAG

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

# What they rest on. Scans name their store otherwise than orders do, so `by` goes through the reference.
REST = """
define touch@2 = order or scan or pickup
metric net_spend@3 = sum(order.amount in last 90d) - sum(refund.amount in last 90d)
segment buyers: did order in last 90d
segment vip@3: net_spend > 20
segment at_risk: last_touch > 7d
"""
CONDITIONS = [rule.replace("by store_id", "by store") for rule in RULES]


def test_there_are_twenty() -> None:
    assert len(CONDITIONS) == 19
    assert TAG


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds() | worlds(crowded=True), st.none() | st.integers(1, 14))
def test_they_hold_whom_they_mean(world: World, offset: int | None) -> None:
    with pair_of(world, offset, rules=REST + TAG) as pair:
        for text in CONDITIONS:
            note(text)
            pair.check(text)
        compiled = dsl.compile_tag("frequency", 1, pair.library, pair.catalog, pair.clock)
        answer = pair.evaluate(compiled)
        for root, value in enumerate(compiled.values):
            expected = {person for person in pair.oracle.universe if pair.oracle.tag("frequency", person) == value}
            assert members(answer, root) == pair.persons(expected), value
