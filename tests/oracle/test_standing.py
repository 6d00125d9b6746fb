"""A rule whose instants move with as-of is the rule compiled anew, at each instant that it stands for."""

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, note, settings

from quanyu import dsl
from quanyu.dsl import Clock, Library
from quanyu.dsl.planning.serializer import to_json
from tests.oracle.strategies import conditions, of_the_past
from tests.oracle.test_oracle import Pair, pair_of
from tests.oracle.world import World
from tests.oracle.worlds import worlds

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
TWO_YEARS = 2 * 365 * 86_400_000


def at(node: Any, as_of: int) -> Any:
    if isinstance(node, dict):
        return as_of - node["ago"] if set(node) == {"ago"} else {name: at(field, as_of) for name, field in node.items()}
    return [at(item, as_of) for item in node] if isinstance(node, list) else node


def later(pair: Pair, ms: int) -> Clock:
    clock = pair.clock
    return Clock(clock.as_of_ms + ms, clock.zone, clock.week_start, clock.day_start, clock.leap_day, clock.earliest_ms)


def compiled(pair: Pair, library: Library, clock: Clock) -> Any:
    return to_json(dsl.compile_segment("probe", 1, library, pair.catalog, clock).roots[0])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(conditions() | of_the_past(), min_size=8, max_size=8), st.data())
def test_it_stands_as_long_as_it_says(world: World, texts: list[str], data: st.DataObject) -> None:
    with pair_of(world) as pair:
        for text in (text for text in texts if not pair.is_to_come(text)):
            note(text)
            bound = dsl.check_and_bind(f"segment probe: {text}", pair.catalog, pair.library)
            library = pair.library.publish(bound)
            root, stands = dsl.compile_live_segment("probe", 1, library, pair.catalog, pair.clock)
            last = TWO_YEARS if stands is None else stands - 1
            for ms in {0, last, data.draw(st.integers(0, last))}:
                clock = later(pair, ms)
                assert at(json.loads(root), clock.as_of_ms) == compiled(pair, library, clock), ms
