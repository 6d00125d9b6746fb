"""Raw log to resolved log: one frame out for each frame in, the same ones whenever it is folded."""

from __future__ import annotations

from quanyu.engine import LocalLog, Resolver
from quanyu.runtime.errors import DataLoss


class Resolution:
    """The fold of one workspace. Writer of its resolved log, where frame n comes from raw frame n."""

    def __init__(self, resolver: Resolver, resolved: LocalLog) -> None:
        """DataLoss if the resolved log lacks frames that the snapshot has seen written."""
        if resolved.end() < resolver.offset():
            raise DataLoss(
                f"the resolved log ends at {resolved.end()}, before the identity snapshot at {resolver.offset()}: "
                "frames are missing; remove the workspace's state/identity folder to make them anew from the raw log"
            )
        self._resolver = resolver
        self._resolved = resolved
        # Folded but not yet in the resolved log, because the disk was full: raw offset and frame.
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
        """There is nothing: what is of erased people is taken out of the logs by `Erasing`."""
        return False

    def snapshot(self) -> None:
        self._resolver.snapshot()

    def _emit(self, offset: int, frame: bytes) -> None:
        # What was folded after the last snapshot is folded again after a restart; its frames are there already.
        if offset < self._resolved.end():
            return
        written = self._resolved.append(frame)
        if written != offset:
            raise DataLoss(f"raw frame {offset} became resolved frame {written}: somebody else writes the resolved log")
