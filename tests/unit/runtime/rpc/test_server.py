"""What callers see of a server: statuses with reasons, authentication, health, reflection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.identity.v1 import identity_pb2_grpc
from quanyu.engine import (
    CancelledError,
    CorruptError,
    InvalidError,
    LockedError,
    OverBudgetError,
    StorageError,
    UnsupportedError,
)
from quanyu.runtime import errors
from quanyu.runtime.rpc import server as rpc
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.settings import Settings

SERVICE = pb.DESCRIPTOR.services_by_name["IdentityService"]


class Answers:
    """A servicer of a real service that raises what the test wants; the others count bytes."""

    def __init__(self) -> None:
        self.raising: Exception | None = None

    def Resolve(self, request: pb.ResolveRequest, context: grpc.ServicerContext) -> pb.ResolveResponse:
        if self.raising:
            raise self.raising
        return pb.ResolveResponse(person=len(request.workspace))

    def ListIdentifiers(
        self, request: pb.ListIdentifiersRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ListIdentifiersResponse]:
        yield pb.ListIdentifiersResponse(values=["one"])
        if self.raising:
            raise self.raising

    @rpc.takes_bytes
    def BatchResolve(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return pb.BatchResolveResponse(persons=[len(request)]).SerializeToString()

    def __getattr__(self, name: str) -> Any:
        return self.Resolve


class Running:
    def __init__(self, settings: Settings) -> None:
        self.health = Health()
        self.servicer = Answers()
        self.server = rpc.build_server(settings, self.health)
        rpc.register_service(self.server, SERVICE, self.servicer)
        rpc.add_reflection(self.server, [SERVICE.full_name])
        self.port = rpc.bind_port(self.server, settings, 0)
        self.server.start()


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


def info_of(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (errors.InvalidInput("x", field="f"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
        (errors.NotFound("x", reason="UNKNOWN_RULE", field="f"), grpc.StatusCode.NOT_FOUND, "UNKNOWN_RULE"),
        (errors.Conflict("x", field="f"), grpc.StatusCode.ALREADY_EXISTS, "CONFLICT"),
        (errors.FailedPrecondition("x", field="f"), grpc.StatusCode.FAILED_PRECONDITION, "FAILED_PRECONDITION"),
        (errors.Unavailable("x", field="f"), grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        (errors.DeadlineExceeded("x", field="f"), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
    ],
)
def test_domain_errors_carry_code_reason_and_metadata(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: Exception, code: grpc.StatusCode, reason: str
) -> None:
    running.servicer.raising = raised
    with pytest.raises(grpc.RpcError) as caught:
        stub.Resolve(pb.ResolveRequest())
    assert (caught.value.code(), caught.value.details()) == (code, "x")
    info = info_of(caught.value)
    assert (info.domain, info.reason, dict(info.metadata)) == ("quanyu", reason, {"field": "f"})


@pytest.mark.parametrize("text", ["x" * 200_000, "城" * 200_000])
def test_what_was_wrong_arrives_however_long_it_is(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, text: str
) -> None:
    running.servicer.raising = errors.InvalidInput(text, reason="RULE_SYNTAX", suggestions=text)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Resolve(pb.ResolveRequest())
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith(text[:300])
    assert info_of(caught.value).metadata["suggestions"].startswith(text[:100])


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (InvalidError("x"), grpc.StatusCode.INVALID_ARGUMENT),
        (UnsupportedError("x"), grpc.StatusCode.UNIMPLEMENTED),
        (CorruptError("x"), grpc.StatusCode.DATA_LOSS),
        (LockedError("x"), grpc.StatusCode.FAILED_PRECONDITION),
        (OverBudgetError("x"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (CancelledError("x"), grpc.StatusCode.CANCELLED),
        (StorageError("x"), grpc.StatusCode.UNAVAILABLE),
        (StorageError("/d: No space left on device (os error 28)"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_errors_of_the_core_are_mapped(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: Exception, code: grpc.StatusCode
) -> None:
    running.servicer.raising = raised
    with pytest.raises(grpc.RpcError) as caught:
        stub.Resolve(pb.ResolveRequest())
    assert caught.value.code() == code


def test_what_nobody_expected_is_internal_and_tells_no_secrets(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, caplog: pytest.LogCaptureFixture
) -> None:
    running.servicer.raising = KeyError("password=hunter2")
    with pytest.raises(grpc.RpcError) as caught:
        stub.Resolve(pb.ResolveRequest())
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "hunter2" not in caught.value.details()
    correlation = info_of(caught.value).metadata["correlation_id"]
    assert correlation in caught.value.details()
    assert [record for record in caplog.records if getattr(record, "correlation_id", "") == correlation]


def test_an_error_in_the_middle_of_a_stream(running: Running, stub: identity_pb2_grpc.IdentityServiceStub) -> None:
    running.servicer.raising = errors.NotFound("gone", reason="GONE")
    stream = stub.ListIdentifiers(pb.ListIdentifiersRequest())
    assert next(stream).values == ["one"]
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert (caught.value.code(), info_of(caught.value).reason) == (grpc.StatusCode.NOT_FOUND, "GONE")


@pytest.mark.parametrize("method", ["Resolve", "ListIdentifiers"])
@pytest.mark.parametrize("sent", [b"\x0a\xff", b"\xff" * 20, b"\x0a\x02\xff\xfe"])
def test_a_malformed_request_is_the_callers_error(channel: grpc.Channel, method: str, sent: bytes) -> None:
    make = channel.unary_stream if method == "ListIdentifiers" else channel.unary_unary
    call = make(f"/{SERVICE.full_name}/{method}")
    read = next if method == "ListIdentifiers" else bytes
    with pytest.raises(grpc.RpcError) as caught:
        read(call(sent))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


def test_bytes_reach_a_method_that_takes_bytes_as_they_were_sent(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(b"\xff" * 20)).persons == [20]


def test_an_audience_of_64_mib_passes_and_more_is_refused(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/BatchResolve")
    assert pb.BatchResolveResponse.FromString(call(bytes(64 * 2**20))).persons == [64 * 2**20]
    with pytest.raises(grpc.RpcError) as caught:
        call(bytes(66 * 2**20))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_calls_without_the_token_are_refused_but_probes_are_not(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    running = Running(Settings(auth_token_file=token))
    address = f"127.0.0.1:{running.port}"
    try:
        for shown in (None, "wrong", "secrets"):
            with open_channel(address, token=shown) as channel, pytest.raises(grpc.RpcError) as caught:
                identity_pb2_grpc.IdentityServiceStub(channel).Resolve(pb.ResolveRequest())
            assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
        with open_channel(address, token="secret") as channel:
            stub = identity_pb2_grpc.IdentityServiceStub(channel)
            assert stub.Resolve(pb.ResolveRequest(workspace="abc")).person == 3
            assert [chunk.values for chunk in stub.ListIdentifiers(pb.ListIdentifiersRequest())] == [["one"]]
        with open_channel(address) as channel:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    finally:
        running.server.stop(None).wait()


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


def test_health_follows_the_services(running: Running, channel: grpc.Channel) -> None:
    def status(name: str) -> int:
        return int(health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name)).status)

    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert status("") == not_serving
    running.health.serving("", "a", "b")
    assert [status(name) for name in ("", "a", "b")] == [serving] * 3
    running.health.report_failure("a", "delivering", OSError("disk"))
    assert [status(name) for name in ("", "a", "b")] == [not_serving, not_serving, serving]


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
    names = {service.name for service in next(answers).list_services_response.service}
    assert {SERVICE.full_name, "grpc.health.v1.Health"} <= names
