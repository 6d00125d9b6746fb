"""Ingests, evaluates and delivers through all four services, in one process and in one each, with kills in between."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from quanyu.api.delivery.v1 import delivery_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.delivery.conftest import SECRET, Receiver
from tests.integration.server_process import ALL, Quanyu, running
from tests.integration.shop import SCHEMA, batch, instant, order
from tests.waiting import PATIENCE, wait_until

BATCH = 50
PEOPLE = 400
DONE = (delivery_pb2.CampaignStatus.STATE_DONE, delivery_pb2.CampaignStatus.STATE_NEEDS_ATTENTION)


@pytest.fixture(params=["one process", "a process each"])
def quanyu(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Quanyu]:
    groups = [ALL] if request.param == "one process" else [(service,) for service in ALL]
    with running(tmp_path / "data", groups) as started:
        yield started


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    started = Receiver(tmp_path, 0.02, {})
    yield started
    started.close()


class OrderClient(threading.Thread):
    """Sends batches of orders until it is stopped; repeats a batch that was not acknowledged."""

    def __init__(self, quanyu: Quanyu) -> None:
        super().__init__(daemon=True)
        self.quanyu = quanyu
        self.acknowledged = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            keys = range(number * BATCH, (number + 1) * BATCH)
            records = [order(str(key), f"card:A{key % PEOPLE:04}", 40 + key % 7) for key in keys]
            self.send(batch(self.quanyu.workspace, *records))
            if self.stopping.is_set():
                return

    def send(self, request: ingestion_pb2.IngestRequest) -> None:
        while True:
            try:
                answer = self.quanyu.ingestion.Ingest(request, timeout=PATIENCE)
            except (grpc.RpcError, ValueError):
                # The server was killed or the channel was closed during the call.
                time.sleep(0.05)
                continue
            assert answer.accepted + answer.duplicates == BATCH, answer
            self.acknowledged += BATCH
            self.offset = answer.raw_offset
            return


def as_of(offset: int) -> tagging_pb2.AsOf:
    return tagging_pb2.AsOf(instant=instant(0), min_raw_offset=offset)


def matched(quanyu: Quanyu, text: str, offset: int) -> int:
    request = tagging_pb2.PreviewRuleRequest(workspace=quanyu.workspace, text=text, as_of=as_of(offset))
    return int(quanyu.tagging.PreviewRule(request, timeout=PATIENCE).sets[0].matched)


def ingest_through_kills(quanyu: Quanyu) -> OrderClient:
    quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA))
    client = OrderClient(quanyu)
    client.start()
    for enough in (10 * BATCH, 30 * BATCH):
        wait_until(lambda enough=enough: client.acknowledged >= enough)
        quanyu.restart(signal.SIGKILL)
    wait_until(lambda: client.acknowledged >= 40 * BATCH)
    client.stopping.set()
    client.join(30)
    return client


def test_acknowledged_orders_count_once_and_each_person_is_delivered_once(quanyu: Quanyu, receiver: Receiver) -> None:
    client = ingest_through_kills(quanyu)

    # Each acknowledged order counts once, so each of PEOPLE has an equal share.
    share, more = divmod(client.acknowledged, PEOPLE)
    assert matched(quanyu, f"count(order) >= {share}", client.offset) == PEOPLE
    assert matched(quanyu, f"count(order) >= {share + 1}", client.offset) == more

    publish = tagging_pb2.PublishRuleRequest(
        workspace=quanyu.workspace, text="segment lapsed: last_order > 30d", min_raw_offset=client.offset
    )
    quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
    status = deliver_through_kills(quanyu, receiver)

    waterfall = {step.step: step.count for step in status.waterfall}
    assert waterfall["audience"] == PEOPLE
    eligible = status.waterfall[-1].count
    assert 0 < eligible < PEOPLE
    assert dict(status.messages) == {"accepted": eligible}
    effects = {line.id: line.data["person"] for line in receiver.accepted()}
    assert len(effects) == len(set(effects.values())) == eligible


def deliver_through_kills(quanyu: Quanyu, receiver: Receiver) -> delivery_pb2.CampaignStatus:
    sink = delivery_pb2.WebhookSink(url=receiver.url, secret=SECRET, allow_private_address=True)
    channel = delivery_pb2.Channel(name="hook", namespace="card", webhook=sink)
    campaign = delivery_pb2.Campaign(
        name="recall",
        segment="lapsed",
        channel="hook",
        holdout_basis_points=1000,
        coupon_prefix="BACK-",
        as_of=instant(0),
    )
    named = {"workspace": quanyu.workspace, "name": "recall"}
    quanyu.delivery.PutChannel(delivery_pb2.PutChannelRequest(workspace=quanyu.workspace, channel=channel))
    create = delivery_pb2.CreateCampaignRequest(workspace=quanyu.workspace, campaign=campaign)
    quanyu.delivery.CreateCampaign(create)
    quanyu.delivery.PlanCampaign(delivery_pb2.PlanCampaignRequest(**named), timeout=PATIENCE)
    quanyu.delivery.StartCampaign(delivery_pb2.StartCampaignRequest(**named))
    for enough in (50, 150):
        wait_until(lambda enough=enough: len(receiver.accepted()) >= enough)
        quanyu.restart(signal.SIGKILL)
    request = delivery_pb2.GetCampaignRequest(**named)
    wait_until(lambda: quanyu.delivery.GetCampaign(request).status.state in DONE)
    return quanyu.delivery.GetCampaign(request).status
