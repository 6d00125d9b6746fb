"""What had arrived when: instants of arrival to offsets of the raw log (K7)."""

from __future__ import annotations

from quanyu.api.event.v1 import log_pb2
from quanyu.engine import LocalLog


def known_before(resolved: LocalLog, instant_ms: int) -> int:
    """The raw offset complete up to what arrived before an instant; 0 if nothing had.

    Frames stand in the order of their arrival: a clock that was put back makes the border one of several.
    """
    low, high = 0, resolved.end()
    while low < high:
        middle = (low + high) // 2
        if _frame(resolved, middle).received_at_ms < instant_ms:
            low = middle + 1
        else:
            high = middle
    return 0 if low == 0 else _frame(resolved, low - 1).raw_offset + 1


def _frame(resolved: LocalLog, offset: int) -> log_pb2.ResolvedFrame:
    (_, frame), *_ = resolved.read(offset, 1)
    return log_pb2.ResolvedFrame.FromString(frame)
