"""Statements, tests and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from quanyu.dsl.syntax.conditions import Cond, Expr, Step
from quanyu.dsl.syntax.nodes import Node
from quanyu.dsl.syntax.values import DateOrDateTime, Point, Ref, Text


@dataclass(frozen=True)
class Setting(Node):
    """`use day starts 04:00` has the words ("day", "starts") and the value as text."""

    words: tuple[str, ...]
    value: Text


@dataclass(frozen=True)
class Define(Node):
    """A named set of events: every event that matches one of the steps."""

    ref: Ref
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Metric(Node):
    ref: Ref
    expr: Expr


@dataclass(frozen=True)
class Segment(Node):
    ref: Ref
    among: Ref | None
    cond: Cond


@dataclass(frozen=True)
class Tier(Node):
    value: Expr
    cond: Cond


@dataclass(frozen=True)
class Tag(Node):
    """The value is that of the first tier with a true condition, or else `otherwise`; None means unknown."""

    ref: Ref
    tiers: tuple[Tier, ...]
    otherwise: Expr | None = None


@dataclass(frozen=True)
class Attr(Node):
    name: str
    value: Expr | Point | tuple[Expr, ...]


@dataclass(frozen=True)
class GivenEvent(Node):
    person: str
    ref: Ref
    at: DateOrDateTime
    attrs: tuple[Attr, ...] = ()


@dataclass(frozen=True)
class GivenPerson(Node):
    person: str
    attrs: tuple[Attr, ...]


@dataclass(frozen=True)
class ThenIn(Node):
    person: str
    ref: Ref


@dataclass(frozen=True)
class ThenNotIn(Node):
    person: str
    ref: Ref


@dataclass(frozen=True)
class ThenValue(Node):
    person: str
    name: str
    value: Expr


@dataclass(frozen=True)
class Test(Node):
    name: str
    given: tuple[GivenEvent | GivenPerson, ...]
    as_of: DateOrDateTime
    then: tuple[ThenIn | ThenNotIn | ThenValue, ...]


@dataclass(frozen=True)
class Script(Node):
    statements: tuple[Statement, ...]


Statement: TypeAlias = Setting | Define | Metric | Segment | Tag | Test
