"""Defines the nodes of a plan (docs/plan.md): conditions, expressions, events, sequence steps and roots.

A node in an event's scope is inside the `where` of an event step, the value of an aggregate or the `by` of a sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Choice

from quanyu.dsl.planning.literals import Instant, Value

Cmp = Choice["<", "<=", ">", ">=", "=", "!="]
HasMode = Choice["any", "all", "none"]
AggregateFn = Choice[
    "count", "sum", "avg", "min", "max", "median", "distinct", "days", "earliest", "latest", "most"
]  # fmt: skip

# --- conditions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllOf:
    """The Kleene conjunction of conditions."""

    of: tuple[Cond, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The Kleene disjunction of conditions."""

    of: tuple[Cond, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Swaps true and false; unknown stays unknown."""

    of: Cond


@dataclass(frozen=True, slots=True)
class OrUnknown:
    """Turns unknown into true."""

    of: Cond


@dataclass(frozen=True, slots=True)
class Members:
    """Is true of the members of a segment, which has a population of its own; never unknown."""

    of: Cond
    among: Cond | None


@dataclass(frozen=True, slots=True)
class MembersAt:
    """Is true of the members of a segment at an instant that is not after the as-of around it; never unknown."""

    as_of: Instant
    of: Cond
    among: Cond | None


@dataclass(frozen=True, slots=True)
class Constant:
    """Has the same truth value for everybody."""

    value: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Compares two values of one kind; unknown where one of them is."""

    cmp: Cmp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class IsIn:
    """Is true where the value, or some member of the set, equals some item."""

    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """Is true where a set has any, all or none of the items."""

    mode: HasMode
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class TextTest:
    """Tests a text for a part, a beginning, an end or an RE2 pattern."""

    test: Choice["contains", "starts_with", "ends_with", "matches"]
    expr: Expr
    value: str


@dataclass(frozen=True, slots=True)
class IsKnown:
    """Is true where the value is known, else false."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class IsUnknown:
    """Is true where the value is unknown, else false."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Within:
    """Is true where `start <= value < end`: instants, or days since 1970-01-01 for a date; None is open."""

    expr: Expr
    start: Instant | None
    end: Instant | None


@dataclass(frozen=True, slots=True)
class YearDays:
    """Days of one year, each `month * 100 + day`."""

    year: int
    month_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Anniversary:
    """Is true where the anniversary of a date or month-day falls on one of the days."""

    expr: Expr
    years: tuple[YearDays, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Is true where a place is at most `metres` from a point."""

    expr: Expr
    point: Expr
    metres: float


@dataclass(frozen=True, slots=True)
class Happened:
    """Is true where the number of matching events is at least `at_least` and at most `at_most`; never unknown."""

    events: Events
    at_least: int
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Is true where events fit the steps in order, all in `start <= occurred_at < end`; never unknown.

    `by`: a value, read in each event's scope, that all the events share.
    """

    steps: tuple[SequenceStep, ...]
    by: Expr | None
    start: Instant | None
    end: Instant


@dataclass(frozen=True, slots=True)
class Rank:
    """Is true of the top or bottom of a population by a value; either `percent` (a fraction) or `count` is given."""

    expr: Expr
    side: Choice["top", "bottom"]
    percent: str | None
    count: int | None
    population: Cond | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Is true where the hash of the seed and the OneID is less than `below`, a decimal text."""

    seed: str
    below: str


# --- expressions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that the rule states."""

    value: Value


@dataclass(frozen=True, slots=True)
class Attribute:
    """The person's attribute at the as-of of the node; `key` selects an entry of a map."""

    name: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Channels:
    """The set of channels of the person's events; known even when it is empty."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate of the person's events; `day_starts` is given for `days` alone."""

    fn: AggregateFn
    events: Events
    value: Expr | None
    day_starts: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The duration from an instant to as-of."""

    of: Expr


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Exact arithmetic; unknown with an unknown operand and on division by zero."""

    fn: Choice["+", "-", "*", "/"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Default:
    """A value, or another value where the first is unknown."""

    expr: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Tile:
    """The k-quantile, from 1 to k, of the person's value in a population."""

    k: int
    expr: Expr
    population: Cond | None


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of a case: its value holds where `when` is true."""

    when: Cond
    value: Value


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first tier that is true, else `otherwise`, else unknown."""

    tiers: tuple[Tier, ...]
    otherwise: Value | None


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the event, in an event's scope."""

    name: str


@dataclass(frozen=True, slots=True)
class EventChannel:
    """The channel of the event, in an event's scope."""


@dataclass(frozen=True, slots=True)
class TypeValue:
    """The value that a `ByType` takes for events of one type."""

    type: str
    value: Expr


@dataclass(frozen=True, slots=True)
class ByType:
    """The value for the type of the event, in an event's scope; unknown for other types."""

    of: tuple[TypeValue, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """An attribute of the catalog item with a key, in an event's scope."""

    catalog: str
    key: Expr
    attribute: str


@dataclass(frozen=True, slots=True)
class Person:
    """A value of the person, in an event's scope."""

    expr: Expr


# --- events and roots -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventStep:
    """Events of one type that pass a filter in the event's scope."""

    type: str
    where: Cond | None


@dataclass(frozen=True, slots=True)
class Events:
    """Events of distinct types in `start <= occurred_at < end`; None is open."""

    steps: tuple[EventStep, ...]
    start: Instant | None
    end: Instant


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One event of a sequence: its gap from the step before in ms, and events that must not follow it."""

    events: tuple[EventStep, ...]
    after: int | None
    within: int | None
    without: tuple[EventStep, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A named condition that the engine evaluates over a population; without `among`, over the universe."""

    name: str
    cond: Cond
    among: Cond | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Conditions to evaluate at one instant, in ms since 1970 UTC."""

    as_of: int
    roots: tuple[Root, ...]


Cond = (
    AllOf | AnyOf | Not | OrUnknown | Members | MembersAt | Constant | Compare | IsIn | Has | TextTest | IsKnown
    | IsUnknown | Within | Anniversary | Near | Happened | Sequence | Rank | Sample
)  # fmt: skip
Expr = (
    Literal | Attribute | Channels | Aggregate | Elapsed | Arithmetic | Default | Tile | Case | Property | EventChannel
    | ByType | Lookup | Person
)  # fmt: skip
