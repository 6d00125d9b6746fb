"""A server of all four services in this process, with a small shop that tests read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.runtime.process import Process
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.settings import SERVICES, Settings
from tests.integration.shop import SCHEMA, batch, order
from tests.waiting import PATIENCE

WORKSPACE = "shop"
BUYERS = "segment buyers: did order ever"


@dataclass(frozen=True, slots=True)
class LocalServer:
    address: str
    folder: Path


@contextmanager
def serve_shop(folder: Path) -> Iterator[LocalServer]:
    """Serves a shop with the orders of the cards c0 to c9, of 0 to 9 CNY, and the published segment `buyers`."""
    openers = {service: import_module(f"quanyu.{service}.service").open_service for service in SERVICES}
    process = Process(Settings(data=folder, port=0), openers)
    process.start()
    try:
        with open_channel(process.address) as channel:
            ingestion, tagging = IngestionServiceStub(channel), TaggingServiceStub(channel)
            ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=WORKSPACE, schema=SCHEMA))
            orders = [order(str(n), f"card:c{n}", 3, amount=str(n)) for n in range(10)]
            offset = ingestion.Ingest(batch(WORKSPACE, *orders)).raw_offset
            publish = tagging_pb2.PublishRuleRequest(workspace=WORKSPACE, text=BUYERS, min_raw_offset=offset)
            tagging.PublishRule(publish, timeout=PATIENCE)
        yield LocalServer(process.address, folder)
    finally:
        process.stop()
