"""The thread that keeps segments up to date: when it looks, and who is told when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library
from quanyu.engine import Index, InvalidError, Limits, LocalLog, StorageError
from quanyu.runtime.errors import Unavailable
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.settings import Settings
from quanyu.tagging import live
from quanyu.tagging.calls.membership_streams import MembershipStreams
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.workspace import Workspace
from tests.waiting import PATIENCE, wait_until


class Membership:
    """A log of which appending may fail."""

    def __init__(self, log: LocalLog) -> None:
        self._log = log
        self.failure: Exception | None = None

    def append(self, frame: bytes) -> int:
        if self.failure is not None:
            raise self.failure
        return self._log.append(frame)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class Call(grpc.ServicerContext):  # type: ignore[misc]
    """One that waits."""

    def time_remaining(self) -> float:
        return PATIENCE

    def is_active(self) -> bool:
        return True


Call.__abstractmethods__ = frozenset()


class Shop:
    def __init__(self, folder: Path) -> None:
        self.failures: list[BaseException] = []
        self.membership = Membership(LocalLog.create(str(folder / "membership")))
        self._resolved = LocalLog.create(str(folder / "resolved"))
        index = Index(str(folder / "index"))
        follow = LocalLog.follow(str(folder / "resolved"))
        follower = LogFollower("test", follow, index, Settings(), self._report)

        def opened(workspace: Workspace) -> LiveSegments:
            state, limits = str(folder / "state"), Limits(2**30)
            return LiveSegments(workspace, follower, self.membership, state, limits, self._report)  # type: ignore[arg-type]

        self.workspace = Workspace("shop", index, follow, follower, Library(), opened)

    def _report(self, work: str, error: BaseException) -> None:
        self.failures.append(error)

    def publish(self, name: str) -> None:
        text = f"segment {name}: last_seen > 1d"
        self.workspace.replace_library(Library.from_texts([*(self.published()), text]))

    def published(self) -> list[str]:
        return [f"segment {name}: last_seen > 1d" for name, _ in self.workspace.library.rules]

    def errors(self) -> dict[str, str | None]:
        """Of segments that were looked at."""
        return {status[0]: status[5] for status in self.workspace.live.statuses() if status[4] or status[5]}

    def close(self) -> None:
        self._resolved.close()
        self.workspace.close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    # Nothing is found because time has passed.
    monkeypatch.setattr(live, "TICK_SECONDS", 10.0 * PATIENCE)
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.1)
    made = Shop(tmp_path)
    yield made
    made.close()


def test_what_is_published_is_looked_at_at_once(shop: Shop) -> None:
    shop.publish("a")
    wait_until(lambda: shop.errors() == {"a": None})
    shop.publish("b")
    wait_until(lambda: shop.errors() == {"a": None, "b": None})


def test_a_full_disk_is_told_until_there_is_space(shop: Shop) -> None:
    shop.publish("a")
    wait_until(lambda: shop.errors() == {"a": None})
    shop.membership.failure = StorageError("No space left on device")
    shop.publish("b")
    wait_until(lambda: "No space left" in (shop.errors().get("a") or ""))
    with pytest.raises(Unavailable, match="No space left"):
        shop.workspace.live.wait(1, Call())
    shop.membership.failure = None
    shop.publish("c")
    wait_until(lambda: shop.errors() == {"a": None, "b": None, "c": None})
    assert shop.failures == []


def test_what_ends_the_thread_is_told_to_who_waits(shop: Shop) -> None:
    shop.membership.failure = InvalidError("of another log")
    shop.publish("a")
    with pytest.raises(Unavailable, match="of another log"):
        shop.workspace.live.wait(1, Call())
    assert shop.errors() == {"a": "of another log"}
    wait_until(lambda: [str(failure) for failure in shop.failures] == ["of another log"])


def test_who_is_told_of_a_move_reads_it(shop: Shop) -> None:
    shop.publish("a")
    wait_until(lambda: shop.errors() == {"a": None})
    live = shop.workspace.live
    watching = MembershipStreams(most=1)
    told: list[pb.WatchMembershipResponse] = []

    def follow() -> None:
        told.extend(watching.watch(live, pb.WatchMembershipRequest(workspace="shop"), Call()))

    follower = Thread(target=follow)
    follower.start()
    wait_until(lambda: len(told) == 1)
    # As by a step that has written and not folded yet.
    frame = pb.MembershipFrame(moves=[pb.SegmentMoves(segment="a", version=1)], complete=True).SerializeToString()
    at = shop.membership.append(frame)
    Event().wait(0.2)
    watching.stop()
    follower.join()
    assert at == live.offset()
    assert [response.whole for response in told] == [True]
