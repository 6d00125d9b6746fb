"""The scope of a part of a rule."""

from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.scope import PlanScope
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

INSIDE = PlanScope(
    replace(Scope(CATALOG, LIBRARY), rule="vip").for_events(s.Ref("order")), CLOCK, nodes.Constant(True), "order"
)


def test_r5_the_scope_of_a_person_has_no_rule_population_or_event() -> None:
    person = INSIDE.person()
    assert (person.names.rule, person.names.step, person.among, person.event) == (None, None, None, "")
    assert person.clock == CLOCK


def test_another_instant_keeps_the_names_and_drops_the_population() -> None:
    then = INSIDE.at(NOW - 1)
    assert (then.clock.as_of_ms, then.clock.zone, then.among) == (NOW - 1, CLOCK.zone, None)
    assert then.names == INSIDE.names


def test_s2_a_rule_names_the_seed_and_keeps_the_population() -> None:
    scope = INSIDE.within_rule("gold")
    assert (scope.names.rule, scope.among, scope.event) == ("gold", INSIDE.among, "order")
