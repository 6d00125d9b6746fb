"""Interceptors: errors become a status with a reason, and calls without the token are rejected."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.identity.v1 import identity_pb2_grpc
from quanyu.engine import (
    CancelledError,
    CorruptError,
    DiskFullError,
    InvalidError,
    InvalidPatternError,
    LockedError,
    OverBudgetError,
    StorageError,
    UnsupportedError,
)
from quanyu.runtime import errors
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.settings import Settings
from tests.unit.runtime.rpc.served import SERVICE, Running, info_of


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
def test_the_beginning_of_a_long_message_arrives(
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
        (InvalidPatternError("x"), grpc.StatusCode.INVALID_ARGUMENT),
        (UnsupportedError("x"), grpc.StatusCode.UNIMPLEMENTED),
        (CorruptError("x"), grpc.StatusCode.DATA_LOSS),
        (LockedError("x"), grpc.StatusCode.FAILED_PRECONDITION),
        (OverBudgetError("x"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (CancelledError("x"), grpc.StatusCode.CANCELLED),
        (StorageError("x"), grpc.StatusCode.UNAVAILABLE),
        (DiskFullError("/d: No space left on device (os error 28)"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_errors_of_the_core_are_mapped(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: Exception, code: grpc.StatusCode
) -> None:
    running.servicer.raising = raised
    with pytest.raises(grpc.RpcError) as caught:
        stub.Resolve(pb.ResolveRequest())
    assert caught.value.code() == code


def test_an_unexpected_error_is_internal_and_hides_its_message(
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


def test_an_error_in_the_middle_of_a_stream_becomes_a_status(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub
) -> None:
    running.servicer.raising = errors.NotFound("gone", reason="GONE")
    stream = stub.ListIdentifiers(pb.ListIdentifiersRequest())
    assert next(stream).values == ["one"]
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert (caught.value.code(), info_of(caught.value).reason) == (grpc.StatusCode.NOT_FOUND, "GONE")


@pytest.mark.parametrize("method", ["Resolve", "ListIdentifiers"])
@pytest.mark.parametrize("sent", [b"\x0a\xff", b"\xff" * 20, b"\x0a\x02\xff\xfe"])
def test_a_malformed_request_is_an_error_of_the_caller(channel: grpc.Channel, method: str, sent: bytes) -> None:
    make = channel.unary_stream if method == "ListIdentifiers" else channel.unary_unary
    call = make(f"/{SERVICE.full_name}/{method}")
    read = next if method == "ListIdentifiers" else bytes
    with pytest.raises(grpc.RpcError) as caught:
        read(call(sent))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(caught.value).reason == "MALFORMED_REQUEST"


def test_calls_without_the_token_are_rejected_and_health_checks_are_not(tmp_path: Path) -> None:
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
