"""A server: the sizes of messages, reflection, and errors of ports and certificates."""

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


def test_a_method_that_takes_bytes_gets_them_unchanged(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(b"\xff" * 20)).persons == [20]


def test_a_message_of_64_mib_is_accepted_and_a_larger_one_is_rejected(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(bytes(64 * 2**20))).persons == [64 * 2**20]
    with pytest.raises(grpc.RpcError) as caught:
        call(bytes(66 * 2**20))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_error_of_a_used_port_says_so(running: Running) -> None:
    settings = Settings()
    server = rpc.build_server(settings, Health())
    with pytest.raises(errors.FailedPrecondition, match="in use"):
        rpc.bind_port(server, settings, running.port)


def test_the_error_of_an_invalid_certificate_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("no certificate")
    settings = Settings(tls_certificate=tmp_path / "pem", tls_key=tmp_path / "pem")
    with pytest.raises(errors.FailedPrecondition, match="QUANYU_TLS_CERTIFICATE"):
        rpc.bind_port(rpc.build_server(settings, Health()), settings, 0)


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    listing = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([listing]))
    names = {service.name for service in next(answers).list_services_response.service}
    assert {SERVICE.full_name, "grpc.health.v1.Health"} <= names
