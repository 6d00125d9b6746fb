"""Conditions about the membership of a segment or a sample."""

from __future__ import annotations

from dataclasses import dataclass

from quanyu.dsl.syntax.nodes import Node
from quanyu.dsl.syntax.values import Date, Duration, Percent, Ref, Text
from quanyu.dsl.syntax.windows import Recurrence, Window


@dataclass(frozen=True)
class InSegment(Node):
    """`in segment vip`. `not in segment vip` is Not(InSegment)."""

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
class EnteredSegment(Node):
    ref: Ref
    window: Window | Recurrence


@dataclass(frozen=True)
class LeftSegment(Node):
    ref: Ref
    window: Window | Recurrence


@dataclass(frozen=True)
class Sample(Node):
    percent: Percent
    seed: Text | None = None
