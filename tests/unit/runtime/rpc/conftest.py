"""A running server, and a channel to it."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from quanyu.api.identity.v1 import identity_pb2_grpc
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.settings import Settings
from tests.unit.runtime.rpc.served import Running


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(Settings())
    yield made
    made.server.stop(None).wait()


@pytest.fixture
def channel(running: Running) -> Iterator[grpc.Channel]:
    with open_channel(f"127.0.0.1:{running.port}") as made:
        yield made


@pytest.fixture
def stub(channel: grpc.Channel) -> identity_pb2_grpc.IdentityServiceStub:
    return identity_pb2_grpc.IdentityServiceStub(channel)
