"""Live segments: when they are evaluated, and the errors that callers get."""

from __future__ import annotations

import pytest

from quanyu.engine import DiskFullError, InvalidError
from quanyu.runtime.errors import InvalidInput, Unavailable
from quanyu.tagging.live import SegmentStatus
from tests.unit.tagging.live_shop import LiveShop, WaitingCall
from tests.waiting import wait_until


def test_a_published_segment_is_evaluated_at_once(live_shop: LiveShop) -> None:
    live_shop.publish("a")
    wait_until(lambda: live_shop.errors() == {"a": None})
    live_shop.publish("b")
    wait_until(lambda: live_shop.errors() == {"a": None, "b": None})


def test_a_full_disk_is_reported_until_there_is_space(live_shop: LiveShop) -> None:
    live_shop.publish("a")
    wait_until(lambda: live_shop.errors() == {"a": None})
    live_shop.membership.failure = DiskFullError("No space left on device")
    live_shop.publish("b")
    wait_until(lambda: "No space left" in (live_shop.errors().get("a") or ""))
    with pytest.raises(Unavailable, match="No space left"):
        live_shop.workspace.live.wait(1, WaitingCall())
    live_shop.membership.failure = None
    live_shop.publish("c")
    wait_until(lambda: live_shop.errors() == {"a": None, "b": None, "c": None})
    assert live_shop.failures == []


def test_waiting_calls_fail_with_the_error_that_ended_the_thread(live_shop: LiveShop) -> None:
    live_shop.membership.failure = InvalidError("of another log")
    live_shop.publish("a")
    with pytest.raises(Unavailable, match="of another log"):
        live_shop.workspace.live.wait(1, WaitingCall())
    assert live_shop.errors() == {"a": "of another log"}
    wait_until(lambda: [str(failure) for failure in live_shop.failures] == ["of another log"])


def test_members_are_unknown_before_they_are_first_found(live_shop: LiveShop) -> None:
    with pytest.raises(InvalidInput) as caught:
        live_shop.workspace.live.answer(["a"])
    assert caught.value.reason == "NOT_LIVE_YET"


def test_a_segment_has_its_newest_version_and_members(live_shop: LiveShop) -> None:
    live_shop.publish("a")
    wait_until(lambda: live_shop.errors() == {"a": None})
    (status,) = live_shop.workspace.live.statuses()
    assert isinstance(status, SegmentStatus)
    assert (status.segment, status.version, status.member_count) == ("a", 1, 0)
    _, (members,) = live_shop.workspace.live.members(["a"])
    assert (members.segment, members.version, members.member_count) == ("a", 1, 0)
