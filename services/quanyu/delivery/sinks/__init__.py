"""Sinks send messages. A new kind of channel is one module here and one line in `registry`.

All sinks are idempotent: sending a message again has no further effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from quanyu.delivery.domain import Outcome


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for a sink. `key` (hex) identifies repetitions; `coupon` and `content` are empty if there is none."""

    key: str
    person: int
    identifier: str
    coupon: str
    content: str


@dataclass(frozen=True, slots=True)
class Run:
    """The properties that all messages of a campaign share."""

    campaign: str
    segment: str
    as_of_ms: int
    planned_at_ms: int
    has_coupon: bool
    has_content: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished output file."""

    path: Path
    rows: int
    sha256: bytes


class SinkFailedError(Exception):
    """The sink cannot be used at all, whatever the message; the error says what to do."""


class Sink(Protocol):
    """Sends the messages of one campaign."""

    @property
    def batch(self) -> int:
        """The maximum number of messages for each `send`."""

    def check(self) -> None:
        """Raises Unavailable or SinkFailedError if no message could be sent. Called before messages are dispatched."""

    def send(self, shard: int, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Sends messages; returns their outcomes in order. Raises SinkFailedError."""

    def finish(self) -> list[Finished]:
        """Returns the finished files. Called after the last message is settled, and again after a crash.

        Raises SinkFailedError.
        """

    def close(self) -> None: ...
