"""Converts between milliseconds since 1970, which the services use, and the Timestamp of the calls."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.runtime.errors import InvalidInput

# The years 1900 to 9998 in UTC: local time then never reaches year 10000.
EARLIEST_MS = -2_208_988_800_000
LATEST_MS = 253_370_764_800_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def timestamp(ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(ms)
    return made


def milliseconds(instant: Timestamp, field: str) -> int:
    """Returns the milliseconds of an instant in a request.

    Raises InvalidInput, naming the field, for an instant outside the years 1900 to 9998.
    """
    # ToMilliseconds would raise for wrong nanos.
    ms = instant.seconds * 1000 + instant.nanos // 1_000_000
    if not is_instant(ms) or not 0 <= instant.nanos < 10**9:
        raise InvalidInput(
            f"{field}: {instant.seconds} s and {instant.nanos} ns from 1970 is not an instant of the years "
            "1900 to 9998; check the unit",
            reason="INVALID_TIME",
            field=field,
        )
    return ms


def is_instant(ms: int) -> bool:
    """Returns True for an instant of the years 1900 to 9998."""
    return EARLIEST_MS <= ms < LATEST_MS
