"""Names and literals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from quanyu.dsl.syntax.nodes import Node

ElapsedUnit = Literal["min", "h", "d", "w"]

ELAPSED_MS: dict[str, int] = {"min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True)
class Ref(Node):
    """A name with its version, if the text gives one. A name in backquotes is `quoted` and never a value."""

    name: str
    version: int | None = None
    quoted: bool = False


@dataclass(frozen=True)
class Key(Node):
    """A part of a path: `.name`."""

    name: str


@dataclass(frozen=True)
class Path(Node):
    """`order.product.category`, or `survey['price sensitivity']` with a Text as key."""

    ref: Ref
    keys: tuple[Key | Text, ...] = ()


@dataclass(frozen=True)
class Number(Node):
    value: Decimal


@dataclass(frozen=True)
class Percent(Node):
    """`50%` has the value 50 and means the number `fraction`, 0.5 (G13)."""

    value: Decimal

    @property
    def fraction(self) -> Decimal:
        return self.value / 100


@dataclass(frozen=True)
class Text(Node):
    value: str


@dataclass(frozen=True)
class Boolean(Node):
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
    """A local time of the workspace, to the minute."""

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


DateOrDateTime: TypeAlias = Date | DateTime
