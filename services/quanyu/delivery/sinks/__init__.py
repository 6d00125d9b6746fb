"""Where messages go. A new kind of channel is one file here, and one line in `open`.

Every sink here is idempotent: the same message sent again has the effect of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from quanyu.delivery.domain import Outcome


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a sink sees it: `key` (hex) tells repetitions; `coupon`, `content` are empty where there is none."""

    key: str
    person: int
    identifier: str
    coupon: str
    content: str


@dataclass(frozen=True, slots=True)
class Run:
    """What all messages of a campaign have in common."""

    campaign: str
    segment: str
    as_of_ms: int
    planned_at_ms: int
    has_coupon: bool
    has_content: bool


@dataclass(frozen=True, slots=True)
class Finished:
    path: Path
    rows: int
    sha256: bytes


class SinkFailedError(Exception):
    """The sink as a whole cannot be used; the message says what to do. No message is to blame."""


class Sink(Protocol):
    @property
    def batch(self) -> int:
        """Most messages per `send`."""

    def check(self) -> None:
        """Before messages are dispatched: Unavailable or SinkFailedError if none could be sent."""

    def send(self, shard: int, messages: Sequence[Outgoing]) -> list[Outcome]:
        """One outcome per message, in order. SinkFailedError."""

    def finish(self) -> list[Finished]:
        """After the last message is settled; again after a crash. Files that are complete now. SinkFailedError."""

    def close(self) -> None: ...
