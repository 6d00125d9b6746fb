"""Conditions, event patterns and expressions.

They share a module because each contains the next: a step has a condition, an aggregate counts events, a condition
compares expressions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from quanyu.dsl.syntax.membership import EnteredSegment, InSegment, LeftSegment, Sample, WasInSegmentAgo, WasInSegmentOn
from quanyu.dsl.syntax.nodes import Node, get_fields
from quanyu.dsl.syntax.values import (
    Boolean,
    Date,
    DateTime,
    Distance,
    Duration,
    Number,
    Path,
    Percent,
    Point,
    Ref,
    Text,
)
from quanyu.dsl.syntax.windows import Ever, Recurrence, Times, Window

ComparisonOperator = Literal["<", "<=", ">", ">=", "=", "!="]
AggregateName = Literal["count", "sum", "avg", "min", "max", "median", "distinct", "days", "earliest", "latest", "most"]


# --- events -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step(Node):
    ref: Ref
    where: Cond | None = None


@dataclass(frozen=True)
class Event(Node):
    """`order where (...) at least 3 times in last 30d`; no times means at least once, no window means Ever (T2)."""

    step: Step
    times: Times | None = None
    window: Window | Recurrence = field(default_factory=Ever)


@dataclass(frozen=True)
class FirstEvent(Node):
    """`order for the first time in last 7d`"""

    step: Step
    window: Window = field(default_factory=Ever)


@dataclass(frozen=True)
class ThenStep(Node):
    """`then order after 1d within 2h`"""

    step: Step
    after: Duration | None = None
    within: Duration | None = None


@dataclass(frozen=True)
class WithoutStep(Node):
    step: Step


@dataclass(frozen=True)
class Sequence(Node):
    """`(scan then order without refund) by store in last 90d`"""

    first: Step
    later_steps: tuple[ThenStep | WithoutStep, ...]
    by: Path | None = None
    window: Window | Recurrence = field(default_factory=Ever)


# --- expressions --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arithmetic(Node):
    """A binary operation. `a - b - c` is Arithmetic("-", Arithmetic("-", a, b), c)."""

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
    """`sum(order.amount where (...) in last 90d)`; no window means all time, also for `ever`."""

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
    operands: tuple[Cond, ...]


@dataclass(frozen=True)
class AnyOf(Node):
    operands: tuple[Cond, ...]


@dataclass(frozen=True)
class Not(Node):
    """`not (...)`"""

    operand: Cond


@dataclass(frozen=True)
class IncludingUnknown(Node):
    """`... including unknown`"""

    operand: Cond


@dataclass(frozen=True)
class Compare(Node):
    left: Expr
    op: ComparisonOperator
    right: Expr


@dataclass(frozen=True)
class Between(Node):
    """`x between low and high` includes both ends; T9 defines DATETIME ends."""

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
class InWindow(Node):
    """An instant, a date or a recency in a window: `signup_at in last 30d`."""

    expr: Expr
    window: Window


@dataclass(frozen=True)
class NotInWindow(Node):
    expr: Expr
    window: Window


@dataclass(frozen=True)
class InTop(Node):
    """`x in top 10% of buyers`. Without `among`, the rule's own population or everybody (R6)."""

    expr: Expr
    size: Percent | Number
    among: Ref | None = None


@dataclass(frozen=True)
class InBottom(Node):
    expr: Expr
    size: Percent | Number
    among: Ref | None = None


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
    center: Point | Path


@dataclass(frozen=True)
class Did(Node):
    pattern: EventPattern


@dataclass(frozen=True)
class DidNot(Node):
    pattern: EventPattern


EventPattern: TypeAlias = Event | FirstEvent | Sequence
Expr: TypeAlias = (
    Path | Number | Percent | Text | Boolean | Duration | Date | DateTime | Arithmetic | Default | Aggregate | Tile
)  # fmt: skip
Cond: TypeAlias = (
    AllOf | AnyOf | Not | IncludingUnknown | Compare | Between | NotBetween | BetweenAgo | NotBetweenAgo | InList
    | NotInList | InWindow | NotInWindow | InTop | InBottom | Contains | NotContains | StartsWith | NotStartsWith
    | EndsWith | NotEndsWith | Matches | NotMatches | HasAny | HasAll | HasNone | IsKnown | IsUnknown | Anniversary
    | NotAnniversary | Near | Did | DidNot | InSegment | WasInSegmentAgo | WasInSegmentOn | EnteredSegment | LeftSegment
    | Sample
)  # fmt: skip

_WITHOUT_NOT: dict[type[Node], type[Node]] = {
    NotBetween: Between,
    NotBetweenAgo: BetweenAgo,
    NotInList: InList,
    NotInWindow: InWindow,
    NotContains: Contains,
    NotStartsWith: StartsWith,
    NotEndsWith: EndsWith,
    NotMatches: Matches,
    NotAnniversary: Anniversary,
    DidNot: Did,
}


def strip_not(cond: Node) -> Cond | None:
    """Returns the condition without its own `not`; None if it has none.

    `x not in [...]` becomes `x in [...]`.
    """
    kind = _WITHOUT_NOT.get(type(cond))
    return kind(**get_fields(cond)) if kind else None  # type: ignore[return-value]
