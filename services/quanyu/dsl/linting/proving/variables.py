"""The variables of formulas. Each has one value for each person, or for each event inside a `where`."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from quanyu.dsl.linting.proving.formulas import CachedHash, Formula
from quanyu.dsl.linting.proving.timeline import Instant
from quanyu.dsl.linting.proving.value_sets import (
    BOOLEANS,
    DiscreteSet,
    IntervalSet,
    ValueSet,
)

SIGNS = DiscreteSet.of("<", "=", ">")


@dataclass(frozen=True)
class ValueVariable:
    """A value of the data. Its value is arbitrary where the data has none."""

    key: Hashable
    domain: ValueSet | None = field(default=None, compare=False)


@dataclass(frozen=True)
class BooleanVariable:
    """A statement that is true or false."""

    key: Hashable

    @property
    def domain(self) -> ValueSet:
        return BOOLEANS


@dataclass(frozen=True)
class Known(BooleanVariable):
    """The statement that the value with this key is known."""


@dataclass(frozen=True)
class Before(BooleanVariable):
    """The statement that the instant or date with this key is before `instant`."""

    instant: Instant


@dataclass(frozen=True)
class TextTest(BooleanVariable):
    """The statement that the text with this key passes a text test."""

    test: Literal["contains", "starts with", "ends with", "matches"]
    text: str


@dataclass(frozen=True)
class Sign:
    """The order of two values: `<`, `=` or `>`."""

    left: Hashable
    right: Hashable

    @property
    def domain(self) -> ValueSet:
        return SIGNS


@dataclass(frozen=True)
class EventSet(CachedHash):
    """A set of events: for each event type, the events that make a formula true."""

    of: tuple[tuple[str, Formula], ...]
    __hash__ = CachedHash.__hash__


@dataclass(frozen=True)
class Tally:
    """The number of events between two instants, or of their distinct days or values. It is always known."""

    kind: Literal["count", "days", "distinct"]
    events: EventSet
    start: Instant
    end: Instant
    value: Hashable = None
    limit: float = field(default=math.inf, compare=False)

    @property
    def domain(self) -> ValueSet:
        whole = IntervalSet.comparing(">=", 0, whole=True)
        return whole if math.isinf(self.limit) else whole & IntervalSet.comparing("<=", int(self.limit), whole=True)
