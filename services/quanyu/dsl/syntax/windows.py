"""Windows of time, recurrences and numbers of times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from quanyu.dsl.syntax.nodes import Node
from quanyu.dsl.syntax.values import Date, DateOrDateTime, Duration

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]


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
    unit: CalendarUnit


@dataclass(frozen=True)
class NextUnits(Node):
    """`in next 3 calendar months`"""

    number: int
    unit: CalendarUnit


@dataclass(frozen=True)
class LastUnit(Node):
    """`in last month`"""

    unit: CalendarUnit


@dataclass(frozen=True)
class ThisUnit(Node):
    """`in this month`"""

    unit: CalendarUnit


@dataclass(frozen=True)
class NextUnit(Node):
    """`in next month`"""

    unit: CalendarUnit


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
    """`between 2026-01-01 and 2026-01-31` after an event. After an attribute, the parser builds a Between."""

    low: DateOrDateTime
    high: DateOrDateTime


@dataclass(frozen=True)
class BetweenDurations(Node):
    """`between 7d and 30d ago` after an event. After an attribute, the parser builds a BetweenAgo."""

    low: Duration
    high: Duration


@dataclass(frozen=True)
class Since(Node):
    when: DateOrDateTime


@dataclass(frozen=True)
class Before(Node):
    when: DateOrDateTime


@dataclass(frozen=True)
class Units(Node):
    """`last 4 calendar weeks` of a recurrence."""

    number: int
    unit: CalendarUnit


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


@dataclass(frozen=True)
class AtLeast(Node):
    number: int


@dataclass(frozen=True)
class AtMost(Node):
    number: int


@dataclass(frozen=True)
class Exactly(Node):
    number: int


Window: TypeAlias = (
    LastElapsed | NextElapsed | LastUnits | NextUnits | LastUnit | ThisUnit | NextUnit | Month | Today | Yesterday
    | Tomorrow | OnDay | Ever | BetweenDays | BetweenDurations | Since | Before
)  # fmt: skip
Recurrence: TypeAlias = InEach | InAtLeast | InAtMost | InExactly
Times: TypeAlias = AtLeast | AtMost | Exactly
