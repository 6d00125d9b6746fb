"""Defines where a part of a rule is compiled: its names, its clock, its population and its event type."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quanyu.dsl.binding.references import Scope
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.planning import nodes

# The instants `start <= t < end` of a window over events, in ms; None is open.
TimeRange = tuple[int | None, int]


@dataclass(frozen=True)
class PlanScope:
    """The scope of a node of the plan.

    `clock`: gives the instant at which the node is evaluated. `among`: the rule's population (R6). `event`: the event
    type in a `where`.
    """

    names: Scope
    clock: Clock
    among: nodes.Cond | None = None
    event: str = ""

    def person(self) -> PlanScope:
        """Returns the scope of a value that is the same in every rule that uses it (R5)."""
        return PlanScope(self.names.for_person(), self.clock)

    def at(self, as_of_ms: int) -> PlanScope:
        """Returns the same names at another instant, without a population."""
        return PlanScope(self.names, replace(self.clock, as_of_ms=as_of_ms))

    def within_rule(self, rule: str | None) -> PlanScope:
        """Returns the scope inside a rule, whose name seeds its samples (S2)."""
        return replace(self, names=replace(self.names, rule=rule))
