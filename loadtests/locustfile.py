"""Load test with one user class for each service. Start a server, then run for example:

    quanyu serve &
    locust -f loadtests/locustfile.py --host 127.0.0.1:7400 --headless -u 20 -r 5 -t 30s

To run only some users, name them: `locust ... IngestionUser TaggingUser`. Test only a server that you operate.
"""

from __future__ import annotations

import itertools
import random
import time
import uuid

from google.protobuf.timestamp_pb2 import Timestamp
from grpc_user import GrpcUser
from locust import constant, task

from quanyu.api.delivery.v1 import delivery_pb2, delivery_pb2_grpc
from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2, identity_pb2_grpc
from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc

PEOPLE = 50_000
BATCH = 200
CHANNELS = ["pos", "miniapp", "delivery"]
SEGMENT = "segment lapsed: last_order > 30d and channel in [pos, miniapp]"


def schema() -> event_pb2.Schema:
    amount = event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY")
    return event_pb2.Schema(
        event_types=[event_pb2.EventType(name="order", properties=[amount])],
        settings=event_pb2.Settings(timezone="Asia/Shanghai"),
    )


def order(source: str, number: int) -> event_pb2.Record:
    """Returns an order by a random person, at a random time within the last 60 days."""
    person = random.randrange(PEOPLE)
    event = event_pb2.Event(source=source, id=str(number), type="order", channel=random.choice(CHANNELS))
    event.occurred_at.CopyFrom(Timestamp(seconds=int(time.time()) - random.randrange(60 * 86_400)))
    event.identifiers.add(namespace="card", value=f"{person:08}")
    event.properties["amount"].number = random.randrange(500, 20_000) / 100
    return event_pb2.Record(event=event)


class IngestionUser(GrpcUser):
    wait_time = constant(0)

    def on_start(self) -> None:
        super().on_start()
        self.stub = ingestion_pb2_grpc.IngestionServiceStub(self.channel)
        self.stub.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=self.workspace, schema=schema()))
        self.source, self.numbers = uuid.uuid4().hex, itertools.count()

    @task
    def ingest(self) -> None:
        records = [order(self.source, number) for number in itertools.islice(self.numbers, BATCH)]
        self.stub.Ingest(ingestion_pb2.IngestRequest(workspace=self.workspace, records=records))


class IdentityUser(GrpcUser):
    wait_time = constant(0)

    def on_start(self) -> None:
        super().on_start()
        self.stub = identity_pb2_grpc.IdentityServiceStub(self.channel)
        declare(self)

    @task
    def batch_resolve(self) -> None:
        cards = [f"{random.randrange(PEOPLE):08}" for _ in range(BATCH)]
        identifiers = [event_pb2.Identifier(namespace="card", value=card) for card in cards]
        self.stub.BatchResolve(identity_pb2.BatchResolveRequest(workspace=self.workspace, identifiers=identifiers))


class TaggingUser(GrpcUser):
    wait_time = constant(0)

    def on_start(self) -> None:
        super().on_start()
        declare(self)
        self.stub = tagging_pb2_grpc.TaggingServiceStub(self.channel)
        self.stub.PublishRule(tagging_pb2.PublishRuleRequest(workspace=self.workspace, text=SEGMENT))

    @task(3)
    def preview(self) -> None:
        days = random.randrange(1, 60)
        text = f"last_order > {days}d and channel in [pos, miniapp]"
        self.stub.PreviewRule(tagging_pb2.PreviewRuleRequest(workspace=self.workspace, text=text))

    @task(1)
    def members(self) -> None:
        self.stub.ListMembers(
            tagging_pb2.ListMembersRequest(workspace=self.workspace, segment="lapsed", page_size=1000)
        )


class DeliveryUser(GrpcUser):
    wait_time = constant(0.1)

    def on_start(self) -> None:
        super().on_start()
        declare(self)
        stub = tagging_pb2_grpc.TaggingServiceStub(self.channel)
        stub.PublishRule(tagging_pb2.PublishRuleRequest(workspace=self.workspace, text=SEGMENT))
        self.stub = delivery_pb2_grpc.DeliveryServiceStub(self.channel)
        sink = delivery_pb2.FileSink(format=delivery_pb2.FileSink.FORMAT_CSV)
        channel = delivery_pb2.Channel(name="file", file=sink, namespace="card")
        self.stub.PutChannel(delivery_pb2.PutChannelRequest(workspace=self.workspace, channel=channel))

    @task
    def plan(self) -> None:
        name = f"plan-{uuid.uuid4().hex}"
        campaign = delivery_pb2.Campaign(name=name, segment="lapsed", channel="file", holdout_basis_points=1000)
        self.stub.CreateCampaign(delivery_pb2.CreateCampaignRequest(workspace=self.workspace, campaign=campaign))
        self.stub.PlanCampaign(delivery_pb2.PlanCampaignRequest(workspace=self.workspace, name=name))


def declare(user: GrpcUser) -> None:
    """Declares the schema and ingests one batch, so that the channels are known; waits until both are folded."""
    ingestion = ingestion_pb2_grpc.IngestionServiceStub(user.channel)
    ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=user.workspace, schema=schema()))
    records = [order(uuid.uuid4().hex, number) for number in range(BATCH)]
    ingested = ingestion.Ingest(ingestion_pb2.IngestRequest(workspace=user.workspace, records=records))
    wait = tagging_pb2.AsOf(min_raw_offset=ingested.raw_offset)
    tagging = tagging_pb2_grpc.TaggingServiceStub(user.channel)
    tagging.PreviewRule(tagging_pb2.PreviewRuleRequest(workspace=user.workspace, text="did order", as_of=wait))
