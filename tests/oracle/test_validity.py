"""Checks how long a compiled live segment stays valid while as-of moves on."""

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, note

from quanyu import dsl
from quanyu.dsl import Clock, Library
from quanyu.dsl.planning.serializer import to_json
from tests.oracle.generators.conditions import conditions, history_conditions
from tests.oracle.generators.worlds import worlds
from tests.oracle.pair import Pair, pair_of
from tests.oracle.world import World
from tests.seed import examples

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
TWO_YEARS = 2 * 365 * 86_400_000


def with_instants(node: Any, as_of: int) -> Any:
    """Returns a plan with its ages replaced by instants."""
    if isinstance(node, dict):
        return (
            as_of - node["ago"]
            if set(node) == {"ago"}
            else {name: with_instants(field, as_of) for name, field in node.items()}
        )
    return [with_instants(item, as_of) for item in node] if isinstance(node, list) else node


def clock_after(pair: Pair, ms: int) -> Clock:
    clock = pair.clock
    return Clock(clock.as_of_ms + ms, clock.zone, clock.week_start, clock.day_start, clock.leap_day, clock.earliest_ms)


def compile_probe(pair: Pair, library: Library, clock: Clock) -> Any:
    return to_json(dsl.compile_segment("probe", 1, library, pair.catalog, clock).roots[0])


@examples(30)
@given(worlds(), st.lists(conditions() | history_conditions(), min_size=8, max_size=8), st.data())
def test_a_live_plan_equals_a_fresh_plan_until_it_expires(world: World, texts: list[str], data: st.DataObject) -> None:
    with pair_of(world) as pair:
        for text in (text for text in texts if not pair.asks_about_the_future(text)):
            note(text)
            bound = dsl.check_and_bind(f"segment probe: {text}", pair.catalog, pair.library)
            library = pair.library.publish(bound)
            root, valid_ms = dsl.compile_live_segment("probe", 1, library, pair.catalog, pair.clock)
            last = TWO_YEARS if valid_ms is None else valid_ms - 1
            for ms in {0, last, data.draw(st.integers(0, last))}:
                clock = clock_after(pair, ms)
                assert with_instants(json.loads(root), clock.as_of_ms) == compile_probe(pair, library, clock), ms
