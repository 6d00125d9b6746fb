"""Splits two people whom a shared card merged: the split holds in all later answers and changes no earlier one."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import grpc
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.follower import Follower
from tests.integration.server_process import Quanyu, reason, running
from tests.integration.shop import DAY, ago, identifiers, order
from tests.integration.shop_calls import declare, people, people_of, publish, send
from tests.waiting import PATIENCE

ANN, BOB, CARD = "phone:13912345671", "phone:13912345672", "card:1"
RULES = "segment regulars: did order at least 2 times in last 30d\nsegment buyers: did order in last 30d"


def merge_by_card(quanyu: Quanyu) -> tuple[int, int]:
    """Lets ann and bob pay with one card; bob orders twice. Returns their person and the raw offset to wait for."""
    declare(quanyu)
    records = [
        order("1", f"{ANN}+{CARD}", ago(3 * DAY)),
        order("2", BOB, ago(2 * DAY)),
        order("3", f"{BOB}+{CARD}", ago(DAY)),
    ]
    offset = send(quanyu, *records)
    both = set(people(quanyu, offset, ANN, BOB, CARD))
    assert len(both) == 1
    return both.pop(), offset


def split(quanyu: Quanyu, person: int, *leaving: str, key: str = "k", offset: int = 0) -> pb.SplitResponse:
    request = pb.SplitRequest(
        workspace=quanyu.workspace,
        person=person,
        identifiers=[identifier for name in leaving for identifier in identifiers(name)],
        idempotency_key=key,
        by="zoe",
        why="a family card",
        min_raw_offset=offset,
    )
    return quanyu.identity.Split(request, timeout=PATIENCE)


def evaluate(quanyu: Quanyu, segment: str, **as_of: int) -> set[int]:
    request = tagging_pb2.EvaluateRequest(workspace=quanyu.workspace, segment=segment, as_of=tagging_pb2.AsOf(**as_of))
    return people_of(b"".join(chunk.roaring for chunk in quanyu.tagging.Evaluate(request, timeout=PATIENCE)))


def test_split_people_stay_apart_when_the_card_is_used_again(quanyu: Quanyu) -> None:
    ann, before = merge_by_card(quanyu)
    publish(quanyu, RULES, before)
    follower = Follower(quanyu)
    follower.follow_until(lambda: follower.holds("regulars", ann)() and follower.holds("buyers", ann)())

    answer = split(quanyu, ann, BOB, offset=before)
    bob = answer.parted.person
    assert answer.kept.person == ann
    assert [found.identifier.value for found in answer.kept.identifiers] == ["+8613912345671", "1"]
    assert [found.identifier.value for found in answer.parted.identifiers] == ["+8613912345672"]
    assert people(quanyu, answer.raw_offset, ANN, BOB, CARD) == [ann, bob, ann]
    follower.follow_until(lambda: follower.holds("regulars", bob)() and follower.holds("buyers", ann, bob)())

    # A further order of bob with the card merges nobody.
    after = send(quanyu, order("4", f"{BOB}+{CARD}", ago(3600)))
    assert people(quanyu, after, BOB, CARD) == [bob, ann]
    violations = quanyu.identity.ListViolations(pb.ListViolationsRequest(workspace=quanyu.workspace)).violations
    assert [(found.reason, found.dropped.value) for found in violations] == [("KEPT_APART", "1")]
    explained = quanyu.identity.Explain(
        pb.ExplainRequest(workspace=quanyu.workspace, **{"from": identifiers(BOB)[0]}, to=identifiers(CARD)[0])
    )
    assert not explained.same_person
    assert (explained.kept_apart.by, explained.kept_apart.why) == ("zoe", "a family card")

    assert evaluate(quanyu, "regulars", min_raw_offset=after) == {bob}
    assert evaluate(quanyu, "regulars", known_at=before) == {ann}
    assert evaluate(quanyu, "buyers", known_at=before) == {ann}
    follower.check_history()


def test_a_repeated_split_changes_nothing(quanyu: Quanyu) -> None:
    ann, offset = merge_by_card(quanyu)
    first = split(quanyu, ann, BOB, offset=offset)
    again = split(quanyu, ann, BOB, offset=offset)
    assert (again.kept, again.parted, again.raw_offset) == (first.kept, first.parted, first.raw_offset)
    assert again.epoch.raw_offset == first.raw_offset, "nothing more was written"
    with pytest.raises(grpc.RpcError) as caught:
        split(quanyu, ann, CARD)
    assert reason(caught.value)[:2] == (grpc.StatusCode.ALREADY_EXISTS, "CONFLICT")


@pytest.mark.parametrize(
    ("person", "leaving", "key", "said"),
    [
        (7, [BOB], "k", (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PERSON", {})),
        (0, [BOB, "card:9"], "k", (grpc.StatusCode.INVALID_ARGUMENT, "NOT_OF_PERSON", {"field": "identifiers[1]"})),
        (0, [], "k", (grpc.StatusCode.INVALID_ARGUMENT, "NOTHING_LEAVES", {"field": "identifiers"})),
        (0, [ANN, BOB, CARD], "k", (grpc.StatusCode.INVALID_ARGUMENT, "NOTHING_STAYS", {"field": "identifiers"})),
        (0, [BOB], "", (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT", {"field": "idempotency_key"})),
    ],
)
def test_an_impossible_split_is_rejected_before_it_is_logged(
    quanyu: Quanyu,
    person: int,
    leaving: list[str],
    key: str,
    said: tuple[grpc.StatusCode, str, dict[str, str]],
) -> None:
    both, offset = merge_by_card(quanyu)
    with pytest.raises(grpc.RpcError) as caught:
        split(quanyu, person or both, *leaving, key=key, offset=offset)
    assert reason(caught.value) == said
    request = pb.ResolveRequest(
        workspace=quanyu.workspace, identifier=event_pb2.Identifier(namespace="card", value="1")
    )
    assert quanyu.identity.Resolve(request).epoch.raw_offset == offset


def test_a_split_survives_a_kill_and_a_rebuild_of_all_state(tmp_path: Path) -> None:
    with running(tmp_path / "data", [("ingestion", "identity", "tagging")]) as quanyu:
        ann, before = merge_by_card(quanyu)
        publish(quanyu, RULES, before)
        answer = split(quanyu, ann, BOB, offset=before)
        bob = answer.parted.person
        for lost in (False, True):
            quanyu.stop(signal.SIGKILL)
            if lost:
                shutil.rmtree(quanyu.data / quanyu.workspace / "state")
            quanyu.start()
            assert people(quanyu, answer.raw_offset, ANN, BOB, CARD) == [ann, bob, ann]
            assert evaluate(quanyu, "regulars", min_raw_offset=answer.raw_offset) == {bob}
            assert evaluate(quanyu, "regulars", known_at=before) == {ann}
            again = split(quanyu, ann, BOB)
            assert (again.kept, again.parted) == (answer.kept, answer.parted)
