"""References to event types and rules, and names similar to an unknown one."""

import pytest

from quanyu.dsl import RuleError
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope, bind_events, bind_segment, event_types, nearest
from tests.unit.dsl.world import CATALOG, LIBRARY

SCOPE = Scope(CATALOG, LIBRARY)


def test_a_definition_gets_its_newest_version_and_an_event_type_none() -> None:
    assert bind_events(s.Ref("touch"), SCOPE).version == 2
    assert bind_events(s.Ref("touch", 1), SCOPE).version == 1
    assert bind_events(s.Ref("下单"), SCOPE) == s.Ref("order")


def test_event_types_of_a_definition_are_those_of_its_version() -> None:
    assert event_types(s.Ref("touch", 1), SCOPE) == ("order",)
    assert event_types(s.Ref("touch"), SCOPE) == ("order", "scan")


def test_a_missing_version_suggests_the_newest() -> None:
    with pytest.raises(RuleError) as caught:
        bind_segment(s.Ref("vip", 9), SCOPE)
    assert (caught.value.reason, caught.value.suggestions) == ("version", ("vip@3",))


def test_nearest_ignores_case_and_width_and_returns_at_most_three() -> None:
    assert nearest("ORDER", ["order", "zebra"]) == ["order"]
    assert nearest("ｏｒｄｅｒ", ["Order"]) == ["Order"]
    assert nearest("order", ["zebra"]) == []
    assert len(nearest("order", [f"order{n}" for n in range(9)])) == 3
