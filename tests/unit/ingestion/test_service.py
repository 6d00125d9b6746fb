"""The ingestion service acknowledges durable records, declares schemas and lists dead letters."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2 as pb
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.engine import LocalLog
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.storage.data_folder import DataFolder
from tests.integration.shop import SCHEMA, batch, order
from tests.unit.local_server import WORKSPACE, LocalServer, serve_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with serve_shop(tmp_path_factory.mktemp("shop")) as server:
        yield server


@pytest.fixture
def ingestion(shop: LocalServer) -> Iterator[IngestionServiceStub]:
    with open_channel(shop.address) as channel:
        yield IngestionServiceStub(channel)


def test_records_are_in_the_raw_log_when_they_are_acknowledged(
    shop: LocalServer, ingestion: IngestionServiceStub
) -> None:
    answer = ingestion.Ingest(batch(WORKSPACE, order("new", "card:c1", 1)))
    assert (answer.accepted, answer.duplicates) == (1, 0)
    raw = LocalLog.follow(str(DataFolder.existing(shop.folder).log(WORKSPACE, "raw")))
    assert raw.end() == answer.raw_offset
    again = ingestion.Ingest(batch(WORKSPACE, order("new", "card:c1", 1)))
    assert (again.accepted, again.duplicates) == (0, 1)


def test_a_stream_is_acknowledged_request_by_request(ingestion: IngestionServiceStub) -> None:
    requests = [batch(WORKSPACE, order(f"stream{n}", "card:c1", 1)) for n in range(3)]
    for number, request in enumerate(requests):
        request.sequence = number
    assert [(answer.sequence, answer.accepted) for answer in ingestion.IngestStream(iter(requests))] == [
        (0, 1),
        (1, 1),
        (2, 1),
    ]


def test_a_schema_is_merged_and_returned(ingestion: IngestionServiceStub) -> None:
    level = event_pb2.Schema(attributes=[event_pb2.Field(name="level", type=event_pb2.TYPE_TEXT)])
    merged = ingestion.PutSchema(pb.PutSchemaRequest(workspace="other", schema=SCHEMA)).schema
    assert [field.name for field in merged.attributes] == ["city"]
    merged = ingestion.PutSchema(pb.PutSchemaRequest(workspace="other", schema=level)).schema
    assert [field.name for field in merged.attributes] == ["city", "level"]
    assert ingestion.GetSchema(pb.GetSchemaRequest(workspace="other")).schema == merged


def test_an_unknown_time_zone_is_rejected(ingestion: IngestionServiceStub) -> None:
    wrong = event_pb2.Schema(settings=event_pb2.Settings(timezone="Asia/Shangai"))
    with pytest.raises(grpc.RpcError) as caught:
        ingestion.PutSchema(pb.PutSchemaRequest(workspace=WORKSPACE, schema=wrong))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_rejected_records_are_listed_as_dead_letters(ingestion: IngestionServiceStub) -> None:
    record = order("dead", "card:c1", 1)
    record.event.type = "undeclared"
    (reject,) = ingestion.Ingest(batch(WORKSPACE, record)).rejects
    assert (reject.reason, reject.field) == ("UNKNOWN_TYPE", "type")
    letters = ingestion.ListDeadLetters(pb.ListDeadLettersRequest(workspace=WORKSPACE)).dead_letters
    assert [letter.record for letter in letters] == [record]
