"""Live segments report each entry and exit once, also after a kill."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import grpc
import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.follower import Follower, digest
from tests.integration.server_process import Quanyu, reason, running
from tests.integration.shop import DAY, ago, lives_in, order
from tests.integration.shop_calls import declare, listed, live_members, people, publish, send
from tests.waiting import PATIENCE, wait_until


def test_people_enter_and_leave_as_events_arrive_and_time_passes(quanyu: Quanyu) -> None:
    declare(quanyu)
    offset = send(quanyu, order("1", "card:ann", ago(9 * DAY)), lives_in("card:bob", "Beijing"))
    publish(quanyu, "segment recent: did order in last 60min\nsegment quiet: did not order in last 7d", offset)
    ann, bob = people(quanyu, offset, "card:ann", "card:bob")
    follower = Follower(quanyu)
    follower.follow_until(lambda: follower.holds("quiet", ann, bob)() and follower.holds("recent")())
    # The order of bob becomes an hour old in two seconds.
    offset = send(quanyu, order("2", "card:bob", ago(3598)))
    follower.follow_until(lambda: follower.holds("quiet", ann)() and bob in follower.members["recent"])
    follower.follow_until(follower.holds("recent"))
    found = listed(quanyu, offset)
    assert {name: (s.version, s.count, s.digest, s.error) for name, s in found.items()} == {
        "quiet": (1, 1, digest({ann}), ""),
        "recent": (1, 0, 0, ""),
    }
    assert found["quiet"].epoch.raw_offset >= offset
    assert 0 <= found["quiet"].lag_ms < PATIENCE * 1000
    assert live_members(quanyu, "quiet", offset) == {ann}
    follower.check_history()


def test_a_new_version_moves_people_as_events_do(quanyu: Quanyu) -> None:
    declare(quanyu)
    offset = send(quanyu, lives_in("card:ann", "Beijing"), lives_in("card:bob", "Shanghai"))
    ann, bob = people(quanyu, offset, "card:ann", "card:bob")
    publish(quanyu, "segment north: city = 'Beijing'", offset)
    follower = Follower(quanyu, "north")
    # The segment is known after its first evaluation.
    wait_until(lambda: "north" in listed(quanyu))
    follower.follow_until(follower.holds("north", ann))
    publish(quanyu, "segment north@2: city = 'Shanghai'", offset)
    follower.follow_until(follower.holds("north", bob))
    assert follower.versions == {"north": 2}
    follower.check_history()
    request = pb.EvaluateRequest(workspace=quanyu.workspace, segment="north", version=1, as_of=pb.AsOf(live=True))
    with pytest.raises(grpc.RpcError) as caught:
        list(quanyu.tagging.Evaluate(request))
    assert reason(caught.value)[1] == "NOT_LIVE"


def test_an_invalid_watch_is_rejected(quanyu: Quanyu) -> None:
    offset = declare(quanyu)
    publish(quanyu, "segment s: city = 'Beijing'", offset)

    def refused(**fields: object) -> str:
        request = pb.WatchMembershipRequest(workspace=quanyu.workspace, **fields)  # type: ignore[arg-type]
        with pytest.raises(grpc.RpcError) as caught:
            next(quanyu.tagging.WatchMembership(request, timeout=PATIENCE))
        return reason(caught.value)[1]

    assert refused(segments=["t"]) == "UNKNOWN_SEGMENT"
    assert refused(cursor="9999999") == "INVALID_CURSOR"
    assert refused(cursor="x") == "INVALID_CURSOR"
    for as_of in (pb.AsOf(live=True, instant=instant_now()), pb.AsOf(live=True, known_at=0)):
        both = pb.EvaluateRequest(workspace=quanyu.workspace, segment="s", as_of=as_of)
        with pytest.raises(grpc.RpcError) as caught:
            list(quanyu.tagging.Evaluate(both))
        assert reason(caught.value)[1] == "LIVE_AS_OF"


def instant_now() -> object:
    return order("1", "card:ann", 0).event.occurred_at


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stream_continues_from_its_cursor_after_a_restart(
    groups: list[tuple[str, ...]], tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path / "data", groups) as quanyu:
        declare(quanyu)
        offset = send(quanyu, *(order(f"{n}", f"card:buyer{n}", ago(5)) for n in range(300)))
        publish(quanyu, "segment buyers: did order in last 1d", offset)
        persons = set(people(quanyu, offset, *(f"card:buyer{n}" for n in range(300))))
        follower = Follower(quanyu)
        follower.follow_until(follower.holds("buyers", *persons))
        for turn in range(3):
            first = 300 + 100 * turn
            send(quanyu, *(order(f"{n}", f"card:buyer{n}", ago(5)) for n in range(first, first + 100)))
            quanyu.restart(number)
            offset = send(quanyu, order(f"x{turn}", f"card:x{turn}", ago(5)))
            new = (*(f"card:buyer{n}" for n in range(first, first + 100)), f"card:x{turn}")
            persons |= set(people(quanyu, offset, *new))
            follower.follow_until(follower.holds("buyers", *persons))
        follower.check_history()
        again = Follower(quanyu)
        again.follow_until(again.holds("buyers", *persons))
        assert live_members(quanyu, "buyers", offset) == persons


def first_outcome(stream: Any) -> str:
    try:
        next(stream)
    except grpc.RpcError as error:
        return reason(error)[1]
    return "began"


def test_streams_leave_threads_for_other_calls(quanyu: Quanyu) -> None:
    offset = declare(quanyu)
    send(quanyu, lives_in("card:ann", "Beijing"))
    publish(quanyu, "segment s: city = 'Beijing'", offset)
    wait_until(lambda: "s" in listed(quanyu))
    request = pb.WatchMembershipRequest(workspace=quanyu.workspace)
    streams = [quanyu.tagging.WatchMembership(request, timeout=PATIENCE) for _ in range(40)]
    outcomes = [first_outcome(stream) for stream in streams]
    assert set(outcomes) == {"began", "TOO_MANY_STREAMS"}
    assert quanyu.ingestion.Ingest(ingestion_pb2.IngestRequest(workspace=quanyu.workspace)) is not None
    for stream in streams:
        stream.cancel()
    free = quanyu.tagging.WatchMembership(request, timeout=PATIENCE)
    while first_outcome(free) == "TOO_MANY_STREAMS":
        free = quanyu.tagging.WatchMembership(request, timeout=PATIENCE)
    free.cancel()
