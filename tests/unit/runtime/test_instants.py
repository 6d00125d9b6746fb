"""Instants of requests: valid ones in milliseconds, and errors that name the field."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import EARLIEST_MS, LATEST_MS, milliseconds


def test_nanoseconds_are_rounded_down() -> None:
    assert milliseconds(Timestamp(seconds=-1, nanos=999_999_999), "as_of") == -1
    assert milliseconds(Timestamp(seconds=EARLIEST_MS // 1000), "as_of") == EARLIEST_MS
    assert milliseconds(Timestamp(seconds=LATEST_MS // 1000 - 1, nanos=999_000_000), "as_of") == LATEST_MS - 1


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(2**62, 0), (-(2**62), 0), (LATEST_MS // 1000, 0), (EARLIEST_MS // 1000 - 1, 0), (0, -1), (0, 10**9)],
)
def test_an_instant_outside_the_calendar_is_rejected(seconds: int, nanos: int) -> None:
    with pytest.raises(InvalidInput, match=r"as_of: .* check the unit") as caught:
        milliseconds(Timestamp(seconds=seconds, nanos=nanos), "as_of")
    assert (caught.value.reason, caught.value.metadata) == ("INVALID_TIME", {"field": "as_of"})
