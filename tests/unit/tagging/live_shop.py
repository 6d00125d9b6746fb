"""A workspace with live segments whose membership log can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from quanyu.dsl import Library
from quanyu.engine import Index, Limits, LocalLog
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.settings import Settings
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.workspace import Workspace
from tests.waiting import PATIENCE


class FailingLog:
    """A membership log whose appends fail while `failure` is set."""

    def __init__(self, log: LocalLog) -> None:
        self._log = log
        self.failure: Exception | None = None

    def append(self, frame: bytes) -> int:
        if self.failure is not None:
            raise self.failure
        return self._log.append(frame)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class WaitingCall(grpc.ServicerContext):  # type: ignore[misc]
    """A call that is active and waits."""

    def time_remaining(self) -> float:
        return PATIENCE

    def is_active(self) -> bool:
        return True


WaitingCall.__abstractmethods__ = frozenset()


class LiveShop:
    """A workspace with live segments, whose index follows an empty log."""

    def __init__(self, folder: Path) -> None:
        self.failures: list[BaseException] = []
        self.membership = FailingLog(LocalLog.create(str(folder / "membership")))
        self._resolved = LocalLog.create(str(folder / "resolved"))
        index = Index(str(folder / "index"))
        follow = LocalLog.follow(str(folder / "resolved"))
        follower = LogFollower("test", follow, index, Settings(), self._report)

        def open_live_segments(workspace: Workspace) -> LiveSegments:
            state, limits = str(folder / "state"), Limits(2**30)
            return LiveSegments(workspace, follower, self.membership, state, limits, self._report)  # type: ignore[arg-type]

        self.workspace = Workspace("shop", index, follow, follower, Library(), open_live_segments)

    def _report(self, work: str, error: BaseException) -> None:
        self.failures.append(error)

    def publish(self, name: str) -> None:
        text = f"segment {name}: last_seen > 1d"
        self.workspace.replace_library(Library.from_texts([*(self.published()), text]))

    def published(self) -> list[str]:
        return [f"segment {name}: last_seen > 1d" for name, _ in self.workspace.library.rules]

    def errors(self) -> dict[str, str | None]:
        """Returns the error of each segment that was evaluated or failed."""
        return {
            status.segment: status.error
            for status in self.workspace.live.statuses()
            if status.freshness or status.error
        }

    def close(self) -> None:
        self._resolved.close()
        self.workspace.close()
