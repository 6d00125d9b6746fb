"""The delivery service plans, starts, watches, reports and explains a campaign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from quanyu.api.delivery.v1.delivery_pb2_grpc import DeliveryServiceStub
from quanyu.engine import roaring_from_ids
from quanyu.runtime.rpc.channels import open_channel
from tests.unit.local_server import WORKSPACE, serve_shop

CHANNEL = pb.Channel(name="letters", namespace="card", file=pb.FileSink(format=pb.FileSink.FORMAT_CSV))


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeliveryServiceStub]:
    folder: Path = tmp_path_factory.mktemp("shop")
    with serve_shop(folder) as server, open_channel(server.address) as channel:
        stub = DeliveryServiceStub(channel)
        stub.PutChannel(pb.PutChannelRequest(workspace=WORKSPACE, channel=CHANNEL))
        yield stub


def create(delivery: DeliveryServiceStub, name: str, **fields: object) -> dict[str, str]:
    campaign = pb.Campaign(name=name, segment="buyers", channel="letters", **fields)
    delivery.CreateCampaign(pb.CreateCampaignRequest(workspace=WORKSPACE, campaign=campaign))
    return {"workspace": WORKSPACE, "name": name}


def run(delivery: DeliveryServiceStub, named: dict[str, str]) -> pb.CampaignStatus:
    delivery.PlanCampaign(pb.PlanCampaignRequest(**named))
    delivery.StartCampaign(pb.StartCampaignRequest(**named))
    *_, last = delivery.WatchCampaign(pb.WatchCampaignRequest(**named))
    return last.status


def refusal(call: grpc.UnaryUnaryMultiCallable, request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_a_campaign_delivers_a_file_to_all_people_of_its_segment(delivery: DeliveryServiceStub) -> None:
    named = create(delivery, "all", coupon_prefix="C")
    status = run(delivery, named)
    assert status.state == pb.CampaignStatus.STATE_DONE
    assert status.waterfall[0] == pb.WaterfallStep(step="audience", count=10)
    assert dict(status.messages) == {"accepted": 10}
    report = delivery.ReportCampaign(pb.ReportCampaignRequest(**named))
    (file,) = report.files
    assert (report.delivered, file.rows) == (10, 10)
    assert len(Path(file.path).read_text().splitlines()) == 11


def test_a_plan_lists_each_step_and_each_person_has_an_outcome(delivery: DeliveryServiceStub) -> None:
    named = create(delivery, "consented", purpose="news")
    status = delivery.PlanCampaign(pb.PlanCampaignRequest(**named)).status
    assert [(step.step, step.count) for step in status.waterfall][:3] == [
        ("audience", 10),
        ("has_identifier", 10),
        ("consented", 0),
    ]
    explained = delivery.ExplainDelivery(pb.ExplainDeliveryRequest(**named, person=1))
    assert explained.outcome == "not_in_audience"


def test_suppressed_people_receive_nothing(delivery: DeliveryServiceStub) -> None:
    named = create(delivery, "before")
    run(delivery, named)
    request = pb.PutSuppressionsRequest(
        workspace=WORKSPACE, persons=roaring_from_ids([1 << 32, 2 << 32]), suppressed=True
    )
    delivery.PutSuppressions(request)
    named = create(delivery, "after")
    status = run(delivery, named)
    counts = {step.step: step.count for step in status.waterfall}
    assert counts["consented"] - counts["not_suppressed"] == 2
    explained = delivery.ExplainDelivery(pb.ExplainDeliveryRequest(**named, person=1 << 32))
    assert explained.outcome == "not_suppressed"


def test_invalid_channels_and_campaigns_are_rejected_with_their_field(delivery: DeliveryServiceStub) -> None:
    no_sink = pb.PutChannelRequest(workspace=WORKSPACE, channel=pb.Channel(name="x", namespace="card"))
    assert refusal(delivery.PutChannel, no_sink) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "the channel has no sink; set `webhook`, or `file` with FORMAT_CSV or FORMAT_PARQUET",
    )
    unknown = pb.Campaign(name="y", segment="buyers", channel="mail")
    code, details = refusal(delivery.CreateCampaign, pb.CreateCampaignRequest(workspace=WORKSPACE, campaign=unknown))
    assert (code, "channel 'mail'" in details) == (grpc.StatusCode.NOT_FOUND, True)
    code, details = refusal(delivery.PutConsents, pb.PutConsentsRequest(workspace=WORKSPACE))
    assert (code, "purpose is empty" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_a_campaign_is_read_back_as_it_was_created(delivery: DeliveryServiceStub) -> None:
    named = create(delivery, "stored", cap_messages=2, cap_days=7, template="Hi {identifier}")
    found = delivery.GetCampaign(pb.GetCampaignRequest(**named))
    assert (found.campaign.cap_messages, found.campaign.cap_days, found.campaign.template) == (2, 7, "Hi {identifier}")
    assert found.status.state == pb.CampaignStatus.STATE_DRAFT
    assert not delivery.ListDeadLetters(pb.ListDeadLettersRequest(**named)).messages
