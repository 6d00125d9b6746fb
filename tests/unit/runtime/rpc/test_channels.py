"""Channels: an error of another service becomes the domain error that it raised, with reason and metadata."""

from __future__ import annotations

import pytest

from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.identity.v1 import identity_pb2_grpc
from quanyu.engine import CancelledError
from quanyu.runtime import errors
from quanyu.runtime.rpc.channels import Channels, domain_errors_of, open_channel
from quanyu.runtime.settings import Settings
from tests.unit.runtime.rpc.served import Running


def error_of_caller(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: Exception
) -> errors.DomainError:
    """Returns the error that a caller gets when the service raises `raised`."""
    running.servicer.raising = raised
    with pytest.raises(errors.DomainError) as caught, domain_errors_of("identity"):
        stub.Resolve(pb.ResolveRequest())
    return caught.value


@pytest.mark.parametrize(
    "raised",
    [
        errors.InvalidInput("field x: wrong", reason="RULE_SYNTAX", field="text", line="3"),
        errors.NotFound("no rule vip", reason="UNKNOWN_RULE", name="vip"),
        errors.Conflict("taken"),
        errors.FailedPrecondition("not yet", reason="APPROVAL_REQUIRED"),
        errors.Unauthenticated("no token"),
        errors.Unsupported("not made yet"),
        errors.Unavailable("locked", reason="DATABASE"),
        errors.ResourceExhausted("full", reason="DISK_FULL", path="/data"),
        errors.DataLoss("damaged", reason="DAMAGED_DATABASE"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_kind_reason_and_metadata_pass_through_another_service(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: errors.DomainError
) -> None:
    found = error_of_caller(running, stub, raised)
    assert type(found) is type(raised)
    assert found.message == f"identity: {raised.message}"
    assert (found.reason, found.metadata) == (raised.reason, raised.metadata)


@pytest.mark.parametrize("raised", [errors.DeadlineExceeded("late"), CancelledError("query")])
def test_a_call_that_ended_too_early_can_be_retried(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub, raised: Exception
) -> None:
    found = error_of_caller(running, stub, raised)
    assert type(found) is errors.Unavailable
    assert found.message == "the identity service did not answer in time; try again"


def test_an_internal_error_keeps_the_correlation_id(
    running: Running, stub: identity_pb2_grpc.IdentityServiceStub
) -> None:
    found = error_of_caller(running, stub, KeyError("bug"))
    assert (type(found), found.reason) == (errors.Unavailable, "INTERNAL")
    assert found.metadata["correlation_id"] in found.message


def test_an_address_without_a_server_is_unavailable() -> None:
    refused = pytest.raises(errors.Unavailable, match="identity: ")
    with open_channel("127.0.0.1:1") as channel, refused as caught, domain_errors_of("identity"):
        identity_pb2_grpc.IdentityServiceStub(channel).Resolve(pb.ResolveRequest())
    assert (caught.value.reason, caught.value.metadata) == ("UNAVAILABLE", {})


def test_a_local_service_is_reached_at_the_local_address_and_channels_are_shared(running: Running) -> None:
    settings = Settings(tagging_address="127.0.0.1:1")
    channels = Channels(settings, frozenset({"identity", "ingestion"}), f"127.0.0.1:{running.port}")
    assert channels.to("identity") is channels.to("ingestion")
    assert channels.to("tagging") is not channels.to("identity")
    stub = identity_pb2_grpc.IdentityServiceStub(channels.to("identity"))
    assert stub.Resolve(pb.ResolveRequest(workspace="shop")).person == 4
    channels.close()
    with pytest.raises(ValueError, match="closed"):
        stub.Resolve(pb.ResolveRequest(workspace="shop"))
