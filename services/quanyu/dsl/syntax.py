"""The syntax tree of the rule language: one frozen class per alternative of grammar.lark.

Equality ignores where a node stands in the text, so `parse(format_rule(tree)) == tree`.
Names are as written: a bare word that is a value (`channel in [pos]`) is still a Path here; the checker decides (N1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal, TypeAlias

Cmp = Literal["<", "<=", ">", ">=", "=", "!="]
Unit = Literal["day", "week", "month", "quarter", "year"]
ElapsedUnit = Literal["min", "h", "d", "w"]

ELAPSED_MS: dict[str, int] = {"min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True)
class Span:
    """Where a node stands: line and column from 1, start and end as offsets into the text."""

    line: int
    column: int
    start: int
    end: int


NOWHERE = Span(1, 1, 0, 0)


@dataclass(frozen=True)
class Node:
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# --- names and values ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Ref(Node):
    """A name with its version, if written. `quoted`: it stood in backquotes, so it is never a value."""

    name: str
    version: int | None = None
    quoted: bool = False


@dataclass(frozen=True)
class Key(Node):
    """`.name` of a path."""

    name: str


@dataclass(frozen=True)
class Path(Node):
    """`order.product.category`, `survey['price sensitivity']` (a Text key)."""

    ref: Ref
    keys: tuple[Key | Text, ...] = ()


@dataclass(frozen=True)
class Number(Node):
    value: Decimal


@dataclass(frozen=True)
class Percent(Node):
    """`50%`: value is 50, the number meant is `fraction`, 0.5 (G13)."""

    value: Decimal

    @property
    def fraction(self) -> Decimal:
        return self.value / 100


@dataclass(frozen=True)
class Text(Node):
    value: str


@dataclass(frozen=True)
class Truth(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True)
class Duration(Node):
    amount: int
    unit: ElapsedUnit

    @property
    def ms(self) -> int:
        return self.amount * ELAPSED_MS[self.unit]


@dataclass(frozen=True)
class Date(Node):
    value: dt.date


@dataclass(frozen=True)
class DateTime(Node):
    """Wall time of the workspace, to the minute."""

    value: dt.datetime


@dataclass(frozen=True)
class Distance(Node):
    amount: Decimal
    unit: Literal["km", "m"]

    @property
    def metres(self) -> Decimal:
        return self.amount * 1000 if self.unit == "km" else self.amount


@dataclass(frozen=True)
class Point(Node):
    """(latitude, longitude) in degrees."""

    lat: Decimal
    lon: Decimal


# --- windows ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LastElapsed(Node):
    """`in last 30d`"""

    duration: Duration


@dataclass(frozen=True)
class NextElapsed(Node):
    """`in next 30d`"""

    duration: Duration


@dataclass(frozen=True)
class LastUnits(Node):
    """`in last 3 calendar months`"""

    number: int
    unit: Unit


@dataclass(frozen=True)
class NextUnits(Node):
    """`in next 3 calendar months`"""

    number: int
    unit: Unit


@dataclass(frozen=True)
class LastUnit(Node):
    """`in last month`"""

    unit: Unit


@dataclass(frozen=True)
class ThisUnit(Node):
    """`in this month`"""

    unit: Unit


@dataclass(frozen=True)
class NextUnit(Node):
    """`in next month`"""

    unit: Unit


@dataclass(frozen=True)
class Month(Node):
    """`in 2026-11`"""

    year: int
    month: int


@dataclass(frozen=True)
class Today(Node):
    pass


@dataclass(frozen=True)
class Yesterday(Node):
    pass


@dataclass(frozen=True)
class Tomorrow(Node):
    pass


@dataclass(frozen=True)
class OnDay(Node):
    """`on 2026-01-31`"""

    date: Date


@dataclass(frozen=True)
class Ever(Node):
    pass


@dataclass(frozen=True)
class BetweenDays(Node):
    """`between 2026-01-01 and 2026-01-31` over events; the same over attributes is a Between."""

    low: When
    high: When


@dataclass(frozen=True)
class BetweenDurations(Node):
    """`between 7d and 30d ago` over events; the same over attributes is a BetweenAgo."""

    low: Duration
    high: Duration


@dataclass(frozen=True)
class Since(Node):
    when: When


@dataclass(frozen=True)
class Before(Node):
    when: When


@dataclass(frozen=True)
class Units(Node):
    """`last 4 calendar weeks` of a repeat."""

    number: int
    unit: Unit


@dataclass(frozen=True)
class InEach(Node):
    """`in each of last 4 calendar weeks`"""

    units: Units


@dataclass(frozen=True)
class InAtLeast(Node):
    number: int
    units: Units


@dataclass(frozen=True)
class InAtMost(Node):
    number: int
    units: Units


@dataclass(frozen=True)
class InExactly(Node):
    number: int
    units: Units


# --- events -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step(Node):
    ref: Ref
    where: Cond | None = None


@dataclass(frozen=True)
class AtLeast(Node):
    number: int


@dataclass(frozen=True)
class AtMost(Node):
    number: int


@dataclass(frozen=True)
class Exactly(Node):
    number: int


@dataclass(frozen=True)
class Event(Node):
    """`order where (...) at least 3 times in last 30d`; no times: at least once. Without a window it is Ever (T2)."""

    step: Step
    times: Times | None = None
    window: Window | Repeat = field(default_factory=Ever)


@dataclass(frozen=True)
class FirstEvent(Node):
    """`order for the first time in last 7d`"""

    step: Step
    window: Window = field(default_factory=Ever)


@dataclass(frozen=True)
class Follow(Node):
    """`then order after 1d within 2h`"""

    step: Step
    after: Duration | None = None
    within: Duration | None = None


@dataclass(frozen=True)
class Without(Node):
    step: Step


@dataclass(frozen=True)
class Sequence(Node):
    """`(scan then order without refund) by store in last 90d`"""

    first: Step
    follow: tuple[Follow | Without, ...]
    by: Path | None = None
    window: Window | Repeat = field(default_factory=Ever)


# --- expressions --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arith(Node):
    """Binary, left to right: `a - b - c` is Arith("-", Arith("-", a, b), c)."""

    op: Literal["+", "-", "*", "/"]
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Default(Node):
    """`expr default otherwise`"""

    expr: Expr
    otherwise: Expr


@dataclass(frozen=True)
class Aggregate(Node):
    """`sum(order.amount where (...) in last 90d)`; None: over all time, also where `ever` was written."""

    fn: AggregateName
    path: Path
    where: Cond | None = None
    window: Window | None = None


@dataclass(frozen=True)
class Tile(Node):
    """`quintile(net_spend among buyers)`"""

    fn: Literal["quintile", "decile", "percentile"]
    expr: Expr
    among: Ref | None = None


# --- conditions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class AllOf(Node):
    of: tuple[Cond, ...]


@dataclass(frozen=True)
class AnyOf(Node):
    of: tuple[Cond, ...]


@dataclass(frozen=True)
class Negated(Node):
    """`not (...)`"""

    of: Cond


@dataclass(frozen=True)
class OrUnknown(Node):
    """`... including unknown`"""

    of: Cond


@dataclass(frozen=True)
class Compare(Node):
    left: Expr
    cmp: Cmp
    right: Expr


@dataclass(frozen=True)
class Between(Node):
    """`x between low and high`: both ends included, but see T9 for DATETIME ends."""

    expr: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class NotBetween(Node):
    expr: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class BetweenAgo(Node):
    """`x between 7d and 30d ago`"""

    expr: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class NotBetweenAgo(Node):
    expr: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class InList(Node):
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class NotInList(Node):
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class InTime(Node):
    """An instant, a date or a recency lies in a window: `signup_at in last 30d`."""

    expr: Expr
    window: Window


@dataclass(frozen=True)
class NotInTime(Node):
    expr: Expr
    window: Window


@dataclass(frozen=True)
class InTop(Node):
    """`x in top 10% of buyers`; no `of`: the rule's own among, else the universe (R6)."""

    expr: Expr
    size: Percent | Number
    of: Ref | None = None


@dataclass(frozen=True)
class InBottom(Node):
    expr: Expr
    size: Percent | Number
    of: Ref | None = None


@dataclass(frozen=True)
class Contains(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class NotContains(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class StartsWith(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class NotStartsWith(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class EndsWith(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class NotEndsWith(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class Matches(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class NotMatches(Node):
    expr: Expr
    value: Expr


@dataclass(frozen=True)
class HasAny(Node):
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class HasAll(Node):
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class HasNone(Node):
    expr: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class IsKnown(Node):
    expr: Expr


@dataclass(frozen=True)
class IsUnknown(Node):
    expr: Expr


@dataclass(frozen=True)
class Anniversary(Node):
    """`anniversary of birthday in next 7 calendar days`"""

    path: Path
    window: Window


@dataclass(frozen=True)
class NotAnniversary(Node):
    path: Path
    window: Window


@dataclass(frozen=True)
class Near(Node):
    """`home within 3km of (31.23, 121.47)`"""

    path: Path
    distance: Distance
    of: Point | Path


@dataclass(frozen=True)
class Did(Node):
    happening: Happening


@dataclass(frozen=True)
class DidNot(Node):
    happening: Happening


@dataclass(frozen=True)
class InSegment(Node):
    """`in segment vip`; not in it is Negated of this."""

    ref: Ref


@dataclass(frozen=True)
class WasInSegmentAgo(Node):
    ref: Ref
    duration: Duration


@dataclass(frozen=True)
class WasInSegmentOn(Node):
    ref: Ref
    date: Date


@dataclass(frozen=True)
class Entered(Node):
    ref: Ref
    window: Window | Repeat


@dataclass(frozen=True)
class Left(Node):
    ref: Ref
    window: Window | Repeat


@dataclass(frozen=True)
class Sample(Node):
    percent: Percent
    seed: Text | None = None


# --- statements ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting(Node):
    """`use day starts 04:00`: words ("day", "starts"), value as text."""

    words: tuple[str, ...]
    value: Text


@dataclass(frozen=True)
class Define(Node):
    """A named set of events: those that fit some step."""

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
    when: Cond


@dataclass(frozen=True)
class Tag(Node):
    """The first tier that is true gives the value, else `otherwise`; None: unknown."""

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
    at: When
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
    as_of: When
    then: tuple[ThenIn | ThenNotIn | ThenValue, ...]


@dataclass(frozen=True)
class Script(Node):
    statements: tuple[Statement, ...]


AggregateName = Literal["count", "sum", "avg", "min", "max", "median", "distinct", "days", "earliest", "latest", "most"]
When: TypeAlias = Date | DateTime
Window: TypeAlias = (
    LastElapsed | NextElapsed | LastUnits | NextUnits | LastUnit | ThisUnit | NextUnit | Month | Today | Yesterday
    | Tomorrow | OnDay | Ever | BetweenDays | BetweenDurations | Since | Before
)  # fmt: skip
Repeat: TypeAlias = InEach | InAtLeast | InAtMost | InExactly
Times: TypeAlias = AtLeast | AtMost | Exactly
Happening: TypeAlias = Event | FirstEvent | Sequence
Expr: TypeAlias = (
    Path | Number | Percent | Text | Truth | Duration | Date | DateTime | Arith | Default | Aggregate | Tile
)  # fmt: skip
Cond: TypeAlias = (
    AllOf | AnyOf | Negated | OrUnknown | Compare | Between | NotBetween | BetweenAgo | NotBetweenAgo | InList
    | NotInList | InTime | NotInTime | InTop | InBottom | Contains | NotContains | StartsWith | NotStartsWith | EndsWith
    | NotEndsWith | Matches | NotMatches | HasAny | HasAll | HasNone | IsKnown | IsUnknown | Anniversary
    | NotAnniversary | Near | Did | DidNot | InSegment | WasInSegmentAgo | WasInSegmentOn | Entered | Left | Sample
)  # fmt: skip
Statement: TypeAlias = Setting | Define | Metric | Segment | Tag | Test

_POSITIVE: dict[type[Node], type[Node]] = {
    NotBetween: Between,
    NotBetweenAgo: BetweenAgo,
    NotInList: InList,
    NotInTime: InTime,
    NotContains: Contains,
    NotStartsWith: StartsWith,
    NotEndsWith: EndsWith,
    NotMatches: Matches,
    NotAnniversary: Anniversary,
    DidNot: Did,
}


def positive(cond: Node) -> Cond | None:
    """The leaf that `cond` denies with its own `not` (`x not in [...]` gives `x in [...]`), None if it denies none."""
    kind = _POSITIVE.get(type(cond))
    return kind(**shallow(cond)) if kind else None  # type: ignore[return-value]


def shallow(node: Node) -> dict[str, Any]:
    """The node's fields by name, its span among them, as they are."""
    return {f.name: getattr(node, f.name) for f in fields(node)}


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below this one, in the order of the text."""
    for value in shallow(node).values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Node):
                yield item


def walk(node: Node) -> Iterator[Node]:
    """This node and everything below it, in the order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)
