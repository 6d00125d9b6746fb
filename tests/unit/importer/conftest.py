"""A running ingestion server, and a channel to it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2_grpc
from tests.unit.importer.ingestion_server import Server


@pytest.fixture
def served() -> Iterator[tuple[Server, grpc.Channel]]:
    servicer = Server()
    server = grpc.server(ThreadPoolExecutor(4))
    ingestion_pb2_grpc.add_IngestionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield servicer, channel
    server.stop(None)
