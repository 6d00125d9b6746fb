"""A server takes bytes and messages up to a limit, lists its services, and explains why it cannot listen."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.runtime import errors
from quanyu.runtime.rpc import server as rpc
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.settings import Settings
from tests.unit.runtime.rpc.served import SERVICE, Running


def test_bytes_reach_a_method_that_takes_bytes_as_they_were_sent(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(b"\xff" * 20)).persons == [20]


def test_an_audience_of_64_mib_passes_and_more_is_refused(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(bytes(64 * 2**20))).persons == [64 * 2**20]
    with pytest.raises(grpc.RpcError) as caught:
        call(bytes(66 * 2**20))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_taken_port_is_explained(running: Running) -> None:
    settings = Settings()
    server = rpc.build_server(settings, Health())
    with pytest.raises(errors.FailedPrecondition, match="in use"):
        rpc.bind_port(server, settings, running.port)


def test_a_certificate_that_is_none_is_explained(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("no certificate")
    settings = Settings(tls_certificate=tmp_path / "pem", tls_key=tmp_path / "pem")
    with pytest.raises(errors.FailedPrecondition, match="QUANYU_TLS_CERTIFICATE"):
        rpc.bind_port(rpc.build_server(settings, Health()), settings, 0)


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
    names = {service.name for service in next(answers).list_services_response.service}
    assert {SERVICE.full_name, "grpc.health.v1.Health"} <= names
