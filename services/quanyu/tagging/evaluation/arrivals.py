"""Converts instants of arrival to offsets of the raw log (K7)."""

from __future__ import annotations

from quanyu.api.event.v1 import log_pb2
from quanyu.engine import LocalLog


def offset_known_before(resolved: LocalLog, instant_ms: int) -> int:
    """Returns the raw offset that covers exactly the frames that arrived before an instant; 0 if none did.

    Frames are stored in the order of arrival. If the clock was set back, several offsets fit and any is returned.
    """
    low, high = 0, resolved.end()
    while low < high:
        middle = (low + high) // 2
        if _read_frame(resolved, middle).received_at_ms < instant_ms:
            low = middle + 1
        else:
            high = middle
    return 0 if low == 0 else _read_frame(resolved, low - 1).raw_offset + 1


def _read_frame(resolved: LocalLog, offset: int) -> log_pb2.ResolvedFrame:
    (_, frame), *_ = resolved.read(offset, 1)
    return log_pb2.ResolvedFrame.FromString(frame)
