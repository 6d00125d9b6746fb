"""Streams of moves into and out of live segments."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput, NotFound, ResourceExhausted
from quanyu.tagging.calls.membership_streams import MembershipStreams
from tests.unit.tagging.live_shop import LiveShop, WaitingCall
from tests.waiting import wait_until


def first(streams: MembershipStreams, shop: LiveShop, **fields: object) -> pb.WatchMembershipResponse:
    request = pb.WatchMembershipRequest(workspace="shop", **fields)  # type: ignore[arg-type]
    return next(streams.watch(shop.workspace.live, request, WaitingCall()))


def test_a_move_is_reported_only_once_the_members_include_it(live_shop: LiveShop) -> None:
    live_shop.publish("a")
    wait_until(lambda: live_shop.errors() == {"a": None})
    live = live_shop.workspace.live
    streams = MembershipStreams(most=1)
    responses: list[pb.WatchMembershipResponse] = []

    def follow() -> None:
        responses.extend(streams.watch(live, pb.WatchMembershipRequest(workspace="shop"), WaitingCall()))

    follower = Thread(target=follow)
    follower.start()
    wait_until(lambda: len(responses) == 1)
    # A frame that is written but not folded, as in the middle of a step.
    frame = pb.MembershipFrame(moves=[pb.SegmentMoves(segment="a", version=1)], complete=True).SerializeToString()
    at = live_shop.membership.append(frame)
    Event().wait(0.2)
    streams.stop()
    follower.join()
    assert at == live.offset()
    assert [response.whole for response in responses] == [True]


def test_only_the_last_response_about_all_members_has_a_cursor(live_shop: LiveShop) -> None:
    for name in "ab":
        live_shop.publish(name)
    wait_until(lambda: live_shop.errors() == {"a": None, "b": None})
    request = pb.WatchMembershipRequest(workspace="shop")
    stream = MembershipStreams(most=1).watch(live_shop.workspace.live, request, WaitingCall())
    responses = [next(stream), next(stream)]
    stream.close()  # type: ignore[attr-defined]
    assert [response.moves[0].segment for response in responses] == ["a", "b"]
    assert [(bool(response.cursor), response.complete) for response in responses] == [(False, False), (True, True)]


def test_an_unknown_segment_is_not_found(live_shop: LiveShop) -> None:
    with pytest.raises(NotFound, match="there is no live segment 'nothing'"):
        first(MembershipStreams(most=1), live_shop, segments=["nothing"])


@pytest.mark.parametrize("cursor", ["x", "-1", "999999", "²"])
def test_a_cursor_of_another_stream_is_rejected(live_shop: LiveShop, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="is not a cursor of this stream"):
        first(MembershipStreams(most=1), live_shop, cursor=cursor)


def test_a_stream_beyond_the_limit_is_rejected_until_one_ends(live_shop: LiveShop) -> None:
    live_shop.publish("a")
    wait_until(lambda: live_shop.errors() == {"a": None})
    streams = MembershipStreams(most=1)
    request = pb.WatchMembershipRequest(workspace="shop")
    held = streams.watch(live_shop.workspace.live, request, WaitingCall())
    next(held)
    with pytest.raises(ResourceExhausted, match="all 1 streams of this server are open"):
        first(streams, live_shop)
    held.close()  # type: ignore[attr-defined]
    assert first(streams, live_shop).moves[0].segment == "a"
