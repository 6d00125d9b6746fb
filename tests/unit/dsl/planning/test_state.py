"""The size of a plan, shared nodes and recorded windows."""

from dataclasses import replace

import pytest

from quanyu.dsl import RuleError
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.planning.scope import PlanScope
from quanyu.dsl.planning.state import MAX_NODES, CompilationState
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

NODE = s.Ref("vip")
TOP = PlanScope(Scope(CATALOG, LIBRARY), CLOCK)


def test_a_plan_may_have_exactly_the_maximum_of_nodes() -> None:
    state = CompilationState()
    state.count_nodes(NODE, MAX_NODES)
    with pytest.raises(RuleError) as caught:
        state.count_nodes(NODE)
    assert caught.value.reason == "limit"


def test_a_shared_node_is_built_once_for_each_instant() -> None:
    state, built = CompilationState(), []
    scopes = [TOP, TOP, TOP.at(NOW - 1), TOP.at(NOW - 1), replace(TOP, clock=CLOCK.relative())]
    for scope in scopes:
        state.share(NODE, scope, ("vip",), lambda scope=scope: built.append(scope.clock.as_of_ms))
    assert built == [NOW, NOW - 1, NOW]


def test_a_shared_node_counts_at_every_use() -> None:
    state = CompilationState()
    half = MAX_NODES // 2
    for _ in range(2):
        state.share(NODE, TOP, ("vip",), lambda: state.count_nodes(NODE, half))
    with pytest.raises(RuleError):
        state.share(NODE, TOP, ("vip",), lambda: None)


def test_equal_windows_are_recorded_once_in_order() -> None:
    state = CompilationState()
    for window in [("b", None, 2), ("a", 1, 2), ("b", None, 2)]:
        state.record_window(*window)
    assert list(state.windows) == [("b", None, 2), ("a", 1, 2)]
