"""Runs campaigns in a delivery process whose peer services answer from memory."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from quanyu.engine import roaring_from_ids
from tests.integration.delivery.conftest import DeliveryProcess, Receiver
from tests.integration.delivery.peer_services import AS_OF_MS, PeerServices


def campaign(**fields: object) -> pb.Campaign:
    return pb.Campaign(**{"name": "recall", "segment": "lapsed", "channel": "letters"} | fields)


def add_people(peers: PeerServices, count: int) -> list[int]:
    """Adds people of two partitions to the segment `lapsed`, each with a card; returns them."""
    members = [*range(1, count - count // 3 + 1), *(2**32 + ordinal for ordinal in range(1, count // 3 + 1))]
    peers.segments["lapsed"] = members
    peers.identifiers["card"] = {person: f"card-{person}" for person in members}
    return members


def reason_of(error: grpc.RpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(error).details[0].Unpack(info)
    return info.reason


def steps(status: pb.CampaignStatus) -> list[tuple[str, int]]:
    return [(step.step, step.count) for step in status.waterfall]


def explain(delivery: DeliveryProcess, person: int) -> tuple[str, str]:
    answer = delivery.stub.ExplainDelivery(pb.ExplainDeliveryRequest(**delivery.recall_fields(), person=person))
    return answer.outcome, answer.detail


def test_a_coupon_campaign_writes_its_file(delivery: DeliveryProcess, peers: PeerServices) -> None:
    members = add_people(peers, 300)
    for person in members[:20]:
        del peers.identifiers["card"][person]
    delivery.put_file_channel()
    stub = delivery.stub
    consent = roaring_from_ids(sorted({*members[10:200], 999_999}))
    stub.PutConsents(
        pb.PutConsentsRequest(workspace=delivery.workspace, purpose="marketing", persons=consent, granted=True)
    )
    withdrawn = roaring_from_ids(members[30:35])
    stub.PutConsents(
        pb.PutConsentsRequest(workspace=delivery.workspace, purpose="marketing", persons=withdrawn, granted=False)
    )
    stub.PutSuppressions(
        pb.PutSuppressionsRequest(
            workspace=delivery.workspace, persons=roaring_from_ids(members[40:47]), suppressed=True
        )
    )
    made = campaign(
        purpose="marketing", holdout_basis_points=1000, coupon_prefix="BACK-", template="{identifier}: {coupon}, 再来!"
    )
    created = stub.CreateCampaign(pb.CreateCampaignRequest(workspace=delivery.workspace, campaign=made))
    assert created.status.state == pb.CampaignStatus.STATE_DRAFT
    planned = stub.PlanCampaign(pb.PlanCampaignRequest(**delivery.recall_fields())).status
    assert planned.state == pb.CampaignStatus.STATE_PLANNED
    assert steps(planned)[:5] == [
        ("audience", 300),
        ("has_identifier", 280),
        ("consented", 175),
        ("not_suppressed", 168),
        ("under_cap", 168),
    ]
    assert planned.segment == "lapsed@3"
    assert planned.as_of.ToMilliseconds() == AS_OF_MS
    assert planned.audience_sha256 == hashlib.sha256(roaring_from_ids(members)).digest()
    eligible = planned.waterfall[-1].count
    assert 130 <= eligible < 168
    assert dict(planned.messages) == {"pending": eligible}

    stub.StartCampaign(pb.StartCampaignRequest(**delivery.recall_fields()))
    done = delivery.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    assert dict(done.messages) == {"accepted": eligible}
    report = delivery.report("recall")
    assert report.delivered == eligible
    (file,) = report.files
    assert file.rows == eligible
    assert hashlib.sha256(Path(file.path).read_bytes()).digest() == file.sha256

    with open(file.path, newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    sent = [int(row["person"]) for row in rows]
    fates = {person: explain(delivery, person)[0] for person in members}
    assert sent == [person for person in members if fates[person] == "accepted"]
    assert len({row["coupon"] for row in rows}) == len(rows)
    assert all(row["content"] == f"{row['identifier']}: {row['coupon']}, 再来!" for row in rows)
    assert all(row["identifier"] == f"card-{row['person']}" for row in rows)
    assert {fates[person] for person in members[:20]} == {"has_identifier"}
    assert {fates[person] for person in members[30:35]} == {"consented"}
    assert {fates[person] for person in members[40:47]} == {"not_suppressed"}
    assert sum(fate == "not_held_out" for fate in fates.values()) == 168 - eligible
    assert explain(delivery, 123_456)[0] == "not_in_audience"


def test_repeated_calls_change_nothing(delivery: DeliveryProcess, peers: PeerServices) -> None:
    members = add_people(peers, 30)
    delivery.put_file_channel()
    delivery.put_file_channel()
    delivery.run(campaign(holdout_basis_points=5000))
    done = delivery.watch("recall")
    peers.segments["lapsed"] = members[:3]
    assert delivery.run(campaign(holdout_basis_points=5000)) == done
    with pytest.raises(grpc.RpcError) as other:
        delivery.run(campaign(holdout_basis_points=5001))
    assert other.value.code() == grpc.StatusCode.ALREADY_EXISTS
    with pytest.raises(grpc.RpcError) as changed:
        delivery.put_file_channel(format=pb.FileSink.FORMAT_PARQUET)
    assert changed.value.code() == grpc.StatusCode.ALREADY_EXISTS
    got = delivery.stub.GetCampaign(pb.GetCampaignRequest(**delivery.recall_fields()))
    assert got.campaign == campaign(holdout_basis_points=5000)
    assert got.status == done


def test_caps_count_messages_of_all_campaigns_of_a_channel(delivery: DeliveryProcess, peers: PeerServices) -> None:
    members = add_people(peers, 40)
    peers.segments["some"] = members[:10]
    delivery.put_file_channel()
    delivery.put_file_channel(name="parcels")
    delivery.run(campaign(name="first", segment="some"))
    assert delivery.watch("first").state == pb.CampaignStatus.STATE_DONE
    for name, channel, expected in (("second", "letters", 30), ("third", "parcels", 40)):
        delivery.run(campaign(name=name, channel=channel, cap_messages=1, cap_days=7))
        assert delivery.watch(name).messages["accepted"] == expected


def test_a_campaign_with_an_empty_audience_completes(delivery: DeliveryProcess, peers: PeerServices) -> None:
    peers.segments["lapsed"] = []
    delivery.put_file_channel(format=pb.FileSink.FORMAT_PARQUET)
    delivery.run(campaign())
    assert delivery.watch("recall").state == pb.CampaignStatus.STATE_DONE
    assert [file.rows for file in delivery.report("recall").files] == [0]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (
            lambda s, w: s.CreateCampaign(pb.CreateCampaignRequest(workspace=w, campaign=campaign(channel="none"))),
            "NOT_FOUND",
        ),
        (lambda s, w: s.GetCampaign(pb.GetCampaignRequest(workspace=w, name="none")), "NOT_FOUND"),
        (lambda s, w: s.StartCampaign(pb.StartCampaignRequest(workspace=w, name="recall")), "FAILED_PRECONDITION"),
        (
            lambda s, w: s.ExplainDelivery(pb.ExplainDeliveryRequest(workspace=w, name="recall", person=1)),
            "FAILED_PRECONDITION",
        ),
        (lambda s, w: s.PlanCampaign(pb.PlanCampaignRequest(workspace=w, name="recall")), "NOT_FOUND"),
        (lambda s, w: s.PutSuppressions(pb.PutSuppressionsRequest(workspace=w, persons=b"x")), "INVALID_ARGUMENT"),
        (lambda s, w: s.PutConsents(pb.PutConsentsRequest(workspace="../x", purpose="p")), "INVALID_ARGUMENT"),
        (lambda s, w: s.PutChannel(pb.PutChannelRequest(workspace=w)), "INVALID_ARGUMENT"),
        (
            lambda s, w: s.ListDeadLetters(pb.ListDeadLettersRequest(workspace=w, name="recall", page_token="x")),
            "INVALID_ARGUMENT",
        ),
    ],
)
def test_an_invalid_call_is_rejected_with_its_code(
    delivery: DeliveryProcess, call: Callable[[object, str], object], code: str
) -> None:
    delivery.put_file_channel()
    delivery.stub.CreateCampaign(pb.CreateCampaignRequest(workspace=delivery.workspace, campaign=campaign()))
    with pytest.raises(grpc.RpcError) as refused:
        call(delivery.stub, delivery.workspace)
    assert refused.value.code().name == code
    assert reason_of(refused.value)


def test_planning_rejects_members_with_a_wrong_digest(delivery: DeliveryProcess, peers: PeerServices) -> None:
    add_people(peers, 10)
    peers.digest_of = hashlib.sha3_256
    delivery.put_file_channel()
    with pytest.raises(grpc.RpcError) as damaged:
        delivery.run(campaign())
    assert damaged.value.code() == grpc.StatusCode.DATA_LOSS
    assert reason_of(damaged.value) == "DIGEST_MISMATCH"


def test_each_signed_webhook_is_accepted_once_and_only_rejected_ones_fail(
    delivery: DeliveryProcess, peers: PeerServices, receive: Callable[..., Receiver]
) -> None:
    members = add_people(peers, 200)
    script = {
        "card-3": [404],
        "card-5": [500, 503],
        "card-7": [[429, 2]],
        "card-11": ["hang"],
        "card-13": [307],
        "card-17": [410],
    }
    receiver = receive(script=script)
    delivery.put_webhook(receiver.url)
    delivery.run(campaign(channel="hook", coupon_prefix="C", template="{coupon}"))
    done = delivery.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    dead = {3: "HTTP 404", 13: "HTTP 307", 17: "HTTP 410"}
    assert dict(done.messages) == {"accepted": 197, "dead": 3}
    effects = receiver.accepted()
    assert sorted(int(line.data["person"]) for line in effects) == [p for p in members if p not in dead]
    assert len({line.id for line in effects}) == 197
    assert all(line.status != 401 for line in receiver.journal())
    assert len({line.data["coupon"] for line in effects}) == 197
    # All attempts of a message have the same id and body.
    tries = [line for line in receiver.journal() if line.data["person"] == "5"]
    assert [line.status for line in tries] == [500, 503, 200]
    assert len({line.id for line in tries}) == 1
    assert tries[0].data == tries[2].data
    waited = [line.at_ms for line in receiver.journal() if line.data["person"] == "7"]
    assert waited[1] - waited[0] >= 2000
    listed = delivery.stub.ListDeadLetters(pb.ListDeadLettersRequest(**delivery.recall_fields(), page_size=2))
    rest = delivery.stub.ListDeadLetters(
        pb.ListDeadLettersRequest(**delivery.recall_fields(), page_token=listed.next_page_token)
    )
    assert {m.person: m.reason for m in [*listed.messages, *rest.messages]} == dead
    assert explain(delivery, 3) == ("dead", "HTTP 404")
    assert explain(delivery, 5)[0] == "accepted"


def test_people_suppressed_during_delivery_receive_nothing_more(
    delivery: DeliveryProcess, peers: PeerServices, receive: Callable[..., Receiver]
) -> None:
    """Suppresses the last people while the receiver slowly accepts the first batches."""
    members = add_people(peers, 600)
    receiver = receive(delay=0.1)
    delivery.put_webhook(receiver.url)
    delivery.run(campaign(channel="hook"))
    late = members[-50:]
    delivery.stub.PutSuppressions(
        pb.PutSuppressionsRequest(workspace=delivery.workspace, persons=roaring_from_ids(late), suppressed=True)
    )
    done = delivery.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE
    assert dict(done.messages) == {"accepted": 550, "cancelled": 50}
    assert {int(line.data["person"]) for line in receiver.accepted()} == set(members[:-50])
    assert explain(delivery, late[0]) == ("cancelled", "suppressed")


def test_a_host_name_of_a_private_address_fails_the_campaign(delivery: DeliveryProcess, peers: PeerServices) -> None:
    add_people(peers, 5)
    with pytest.raises(grpc.RpcError) as refused:
        delivery.put_webhook("http://127.0.0.1:9/hook", allow=False)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    # A host name that resolves to 127.0.0.1.
    delivery.put_webhook("http://127.1:9/hook", allow=False)
    delivery.run(campaign(channel="hook"))
    stopped = delivery.watch("recall")
    assert stopped.state == pb.CampaignStatus.STATE_NEEDS_ATTENTION
    assert "not public" in stopped.detail
    assert dict(stopped.messages) == {"claimed": 5}


def test_a_campaign_waits_while_its_folder_is_not_writable(delivery: DeliveryProcess, peers: PeerServices) -> None:
    add_people(peers, 20)
    delivery.put_file_channel()
    folder = delivery.data / delivery.workspace / "delivered" / "recall"
    folder.mkdir(parents=True)
    (folder / "parts").write_text("in the way")
    delivery.run(campaign())
    stopped = delivery.watch("recall")
    assert stopped.state == pb.CampaignStatus.STATE_NEEDS_ATTENTION
    assert "cannot write" in stopped.detail
    (folder / "parts").unlink()
    delivery.stub.StartCampaign(pb.StartCampaignRequest(**delivery.recall_fields()))
    done = delivery.watch("recall")
    assert (done.state, done.detail) == (pb.CampaignStatus.STATE_DONE, "")
    assert dict(done.messages) == {"accepted": 20}
