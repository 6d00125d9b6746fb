"""What formulas speak of: each has one value of each person (or of each event, inside a `where`)."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from quanyu.dsl.linting.proving.moments import Moment
from quanyu.dsl.linting.proving.ranges import (
    EITHER_WAY,
    Choice,
    Numbers,
    Values,
)
from quanyu.dsl.linting.proving.truth import Formula, Joined

SIGNS = Choice.of("<", "=", ">")


@dataclass(frozen=True)
class Value:
    """A value by name; where it is unknown, any."""

    key: Hashable
    domain: Values | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Says:
    """Yes or no."""

    key: Hashable

    @property
    def domain(self) -> Values:
        return EITHER_WAY


@dataclass(frozen=True)
class Known(Says):
    """Whether the value by this name is known."""


@dataclass(frozen=True)
class Before(Says):
    """Whether the instant or date by this name lies before the moment."""

    moment: Moment


@dataclass(frozen=True)
class TextTest(Says):
    """Whether the text by this name passes."""

    test: Literal["contains", "starts with", "ends with", "matches"]
    text: str


@dataclass(frozen=True)
class Sign:
    """How two values compare: the one is `<`, `=` or `>` the other."""

    left: Hashable
    right: Hashable

    @property
    def domain(self) -> Values:
        return SIGNS


@dataclass(frozen=True)
class Events(Joined):
    """Which events: of each type those that a formula holds of."""

    of: tuple[tuple[str, Formula], ...]
    __hash__ = Joined.__hash__


@dataclass(frozen=True)
class Tally:
    """How many events there are from one moment to another, or distinct days or values of theirs. Never unknown."""

    kind: Literal["count", "days", "distinct"]
    events: Events
    start: Moment
    end: Moment
    value: Hashable = None
    most: float = field(default=math.inf, compare=False)

    @property
    def domain(self) -> Values:
        whole = Numbers.where(">=", 0, whole=True)
        return whole if math.isinf(self.most) else whole & Numbers.where("<=", int(self.most), whole=True)
