"""Campaigns through the calls of a real process, with peers that answer from memory."""

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
from tests.integration.delivery.conftest import Receiver, Serving
from tests.integration.delivery.peers import AS_OF_MS, Peers


def campaign(**fields: object) -> pb.Campaign:
    return pb.Campaign(**{"name": "recall", "segment": "lapsed", "channel": "letters"} | fields)


def people(peers: Peers, count: int) -> list[int]:
    """Members of `lapsed` in two partitions, each with a card."""
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


def explain(serving: Serving, person: int) -> tuple[str, str]:
    answer = serving.stub.ExplainDelivery(pb.ExplainDeliveryRequest(**serving.named(), person=person))
    return answer.outcome, answer.detail


def test_a_coupon_recall_to_a_file(serving: Serving, peers: Peers) -> None:
    members = people(peers, 300)
    for person in members[:20]:
        del peers.identifiers["card"][person]
    serving.put_file_channel()
    stub = serving.stub
    consent = roaring_from_ids(sorted({*members[10:200], 999_999}))
    stub.PutConsents(
        pb.PutConsentsRequest(workspace=serving.workspace, purpose="marketing", persons=consent, granted=True)
    )
    withdrawn = roaring_from_ids(members[30:35])
    stub.PutConsents(
        pb.PutConsentsRequest(workspace=serving.workspace, purpose="marketing", persons=withdrawn, granted=False)
    )
    stub.PutSuppressions(
        pb.PutSuppressionsRequest(
            workspace=serving.workspace, persons=roaring_from_ids(members[40:47]), suppressed=True
        )
    )
    made = campaign(
        purpose="marketing", holdout_basis_points=1000, coupon_prefix="BACK-", template="{identifier}: {coupon}, 再来!"
    )
    created = stub.CreateCampaign(pb.CreateCampaignRequest(workspace=serving.workspace, campaign=made))
    assert created.status.state == pb.CampaignStatus.STATE_DRAFT
    planned = stub.PlanCampaign(pb.PlanCampaignRequest(**serving.named())).status
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

    stub.StartCampaign(pb.StartCampaignRequest(**serving.named()))
    done = serving.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    assert dict(done.messages) == {"accepted": eligible}
    report = serving.report("recall")
    assert report.delivered == eligible
    (file,) = report.files
    assert file.rows == eligible
    assert hashlib.sha256(Path(file.path).read_bytes()).digest() == file.sha256

    with open(file.path, newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    sent = [int(row["person"]) for row in rows]
    fates = {person: explain(serving, person)[0] for person in members}
    assert sent == [person for person in members if fates[person] == "accepted"]
    assert len({row["coupon"] for row in rows}) == len(rows)
    assert all(row["content"] == f"{row['identifier']}: {row['coupon']}, 再来!" for row in rows)
    assert all(row["identifier"] == f"card-{row['person']}" for row in rows)
    assert {fates[person] for person in members[:20]} == {"has_identifier"}
    assert {fates[person] for person in members[30:35]} == {"consented"}
    assert {fates[person] for person in members[40:47]} == {"not_suppressed"}
    assert sum(fate == "not_held_out" for fate in fates.values()) == 168 - eligible
    assert explain(serving, 123_456)[0] == "not_in_audience"


def test_calls_again_change_nothing(serving: Serving, peers: Peers) -> None:
    members = people(peers, 30)
    serving.put_file_channel()
    serving.put_file_channel()
    serving.run(campaign(holdout_basis_points=5000))
    done = serving.watch("recall")
    peers.segments["lapsed"] = members[:3]
    assert serving.run(campaign(holdout_basis_points=5000)) == done
    with pytest.raises(grpc.RpcError) as other:
        serving.run(campaign(holdout_basis_points=5001))
    assert other.value.code() == grpc.StatusCode.ALREADY_EXISTS
    with pytest.raises(grpc.RpcError) as changed:
        serving.put_file_channel(format=pb.FileSink.FORMAT_PARQUET)
    assert changed.value.code() == grpc.StatusCode.ALREADY_EXISTS
    got = serving.stub.GetCampaign(pb.GetCampaignRequest(**serving.named()))
    assert got.campaign == campaign(holdout_basis_points=5000)
    assert got.status == done


def test_caps_count_over_the_campaigns_of_a_channel(serving: Serving, peers: Peers) -> None:
    members = people(peers, 40)
    peers.segments["some"] = members[:10]
    serving.put_file_channel()
    serving.put_file_channel(name="parcels")
    serving.run(campaign(name="first", segment="some"))
    assert serving.watch("first").state == pb.CampaignStatus.STATE_DONE
    for name, channel, expected in (("second", "letters", 30), ("third", "parcels", 40)):
        serving.run(campaign(name=name, channel=channel, cap_messages=1, cap_days=7))
        assert serving.watch(name).messages["accepted"] == expected


def test_an_empty_audience_is_done(serving: Serving, peers: Peers) -> None:
    peers.segments["lapsed"] = []
    serving.put_file_channel(format=pb.FileSink.FORMAT_PARQUET)
    serving.run(campaign())
    assert serving.watch("recall").state == pb.CampaignStatus.STATE_DONE
    assert [file.rows for file in serving.report("recall").files] == [0]


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
def test_what_cannot_be_is_refused(serving: Serving, call: Callable[[object, str], object], code: str) -> None:
    serving.put_file_channel()
    serving.stub.CreateCampaign(pb.CreateCampaignRequest(workspace=serving.workspace, campaign=campaign()))
    with pytest.raises(grpc.RpcError) as refused:
        call(serving.stub, serving.workspace)
    assert refused.value.code().name == code
    assert reason_of(refused.value)


def test_members_that_arrive_damaged_are_refused(serving: Serving, peers: Peers) -> None:
    people(peers, 10)
    peers.digest_of = hashlib.sha3_256
    serving.put_file_channel()
    with pytest.raises(grpc.RpcError) as damaged:
        serving.run(campaign())
    assert damaged.value.code() == grpc.StatusCode.DATA_LOSS
    assert reason_of(damaged.value) == "DIGEST_MISMATCH"


def test_webhooks_arrive_once_signed_and_only_the_poison_dies(
    serving: Serving, peers: Peers, receive: Callable[..., Receiver]
) -> None:
    members = people(peers, 200)
    script = {
        "card-3": [404],
        "card-5": [500, 503],
        "card-7": [[429, 2]],
        "card-11": ["hang"],
        "card-13": [307],
        "card-17": [410],
    }
    receiver = receive(script=script)
    serving.put_webhook(receiver.url)
    serving.run(campaign(channel="hook", coupon_prefix="C", template="{coupon}"))
    done = serving.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    dead = {3: "HTTP 404", 13: "HTTP 307", 17: "HTTP 410"}
    assert dict(done.messages) == {"accepted": 197, "dead": 3}
    effects = receiver.effects()
    assert sorted(int(line.data["person"]) for line in effects) == [p for p in members if p not in dead]
    assert len({line.id for line in effects}) == 197
    assert all(line.status != 401 for line in receiver.journal())
    assert len({line.data["coupon"] for line in effects}) == 197
    # Every attempt of a message has one id and one body.
    tries = [line for line in receiver.journal() if line.data["person"] == "5"]
    assert [line.status for line in tries] == [500, 503, 200]
    assert len({line.id for line in tries}) == 1
    assert tries[0].data == tries[2].data
    waited = [line.at_ms for line in receiver.journal() if line.data["person"] == "7"]
    assert waited[1] - waited[0] >= 2000
    listed = serving.stub.ListDeadLetters(pb.ListDeadLettersRequest(**serving.named(), page_size=2))
    rest = serving.stub.ListDeadLetters(pb.ListDeadLettersRequest(**serving.named(), page_token=listed.next_page_token))
    assert {m.person: m.reason for m in [*listed.messages, *rest.messages]} == dead
    assert explain(serving, 3) == ("dead", "HTTP 404")
    assert explain(serving, 5)[0] == "accepted"


def test_who_withdraws_during_delivery_gets_nothing_more(
    serving: Serving, peers: Peers, receive: Callable[..., Receiver]
) -> None:
    """The script lets the first batches pass slowly; the last people are suppressed meanwhile."""
    members = people(peers, 600)
    receiver = receive(delay=0.1)
    serving.put_webhook(receiver.url)
    serving.run(campaign(channel="hook"))
    late = members[-50:]
    serving.stub.PutSuppressions(
        pb.PutSuppressionsRequest(workspace=serving.workspace, persons=roaring_from_ids(late), suppressed=True)
    )
    done = serving.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE
    assert dict(done.messages) == {"accepted": 550, "cancelled": 50}
    assert {int(line.data["person"]) for line in receiver.effects()} == set(members[:-50])
    assert explain(serving, late[0]) == ("cancelled", "suppressed")


def test_a_private_address_behind_a_name_stops_the_campaign(serving: Serving, peers: Peers) -> None:
    people(peers, 5)
    with pytest.raises(grpc.RpcError) as refused:
        serving.put_webhook("http://127.0.0.1:9/hook", allow=False)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    # No address by its looks, but it resolves to 127.0.0.1.
    serving.put_webhook("http://127.1:9/hook", allow=False)
    serving.run(campaign(channel="hook"))
    stopped = serving.watch("recall")
    assert stopped.state == pb.CampaignStatus.STATE_NEEDS_ATTENTION
    assert "not public" in stopped.detail
    assert dict(stopped.messages) == {"claimed": 5}


def test_a_folder_that_cannot_be_written_stops_the_campaign_until_it_can(serving: Serving, peers: Peers) -> None:
    people(peers, 20)
    serving.put_file_channel()
    folder = serving.data / serving.workspace / "delivered" / "recall"
    folder.mkdir(parents=True)
    (folder / "parts").write_text("in the way")
    serving.run(campaign())
    stopped = serving.watch("recall")
    assert stopped.state == pb.CampaignStatus.STATE_NEEDS_ATTENTION
    assert "cannot write" in stopped.detail
    (folder / "parts").unlink()
    serving.stub.StartCampaign(pb.StartCampaignRequest(**serving.named()))
    done = serving.watch("recall")
    assert (done.state, done.detail) == (pb.CampaignStatus.STATE_DONE, "")
    assert dict(done.messages) == {"accepted": 20}
