"""Milliseconds since 1970, as everything inside counts, and protobuf's Timestamp, as the calls say it."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.runtime.errors import InvalidInput

# 1900 to 9998 UTC: what happens lies after the one, and local time reaches no year 10000 before the other.
EARLIEST_MS = -2_208_988_800_000
LATEST_MS = 253_370_764_800_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def timestamp(ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(ms)
    return made


def milliseconds(instant: Timestamp, field: str) -> int:
    """Of an instant in a request. InvalidInput, naming the field, if calendars have no such time."""
    # Not ToMilliseconds: it fails where nanos are wrong.
    ms = instant.seconds * 1000 + instant.nanos // 1_000_000
    if not is_instant(ms) or not 0 <= instant.nanos < 10**9:
        raise InvalidInput(
            f"{field}: {instant.seconds} s and {instant.nanos} ns from 1970 is no instant of the years 1900 to 9998; "
            "check the unit",
            reason="INVALID_TIME",
            field=field,
        )
    return ms


def is_instant(ms: int) -> bool:
    """Whether it lies within the years that can be asked about."""
    return EARLIEST_MS <= ms < LATEST_MS
