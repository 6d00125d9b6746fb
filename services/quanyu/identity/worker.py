"""Folds the raw log into the resolved log: one frame for each frame, and the same frames at each fold."""

from __future__ import annotations

from quanyu.engine import LocalLog, Resolver
from quanyu.runtime.errors import DataLoss


class Resolution:
    """Folds one workspace and writes its resolved log, where frame n comes from raw frame n."""

    def __init__(self, resolver: Resolver, resolved: LocalLog) -> None:
        """Raises DataLoss if the resolved log lacks frames that were written before the snapshot."""
        if resolved.end() < resolver.offset():
            raise DataLoss(
                f"the resolved log ends at {resolved.end()}, before the identity snapshot at {resolver.offset()}: "
                "frames are missing; remove the state/identity folder of the workspace to rebuild them from the raw log"
            )
        self._resolver = resolver
        self._resolved = resolved
        # A raw offset and a folded frame that is not in the resolved log yet, because the disk was full.
        self._pending: tuple[int, bytes] | None = None

    def offset(self) -> int:
        return self._pending[0] if self._pending else self._resolver.offset()

    def fold(self, frames: list[tuple[int, bytes]]) -> None:
        for offset, frame in frames:
            if self._pending is None:
                self._pending = (offset, self._resolver.fold(offset, frame))
            self._emit(*self._pending)
            self._pending = None

    def tidy(self) -> bool:
        """Does nothing: `LogRedaction` removes erased people from the logs."""
        return False

    def snapshot(self) -> None:
        self._resolver.snapshot()

    def _emit(self, offset: int, frame: bytes) -> None:
        # After a restart, frames since the last snapshot are folded again; the log has them already.
        if offset < self._resolved.end():
            return
        written = self._resolved.append(frame)
        if written != offset:
            raise DataLoss(
                f"raw frame {offset} became resolved frame {written}: another process writes the resolved log"
            )
