"""A running server whose service raises the error of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.runtime.rpc import server as rpc
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.settings import Settings

SERVICE = pb.DESCRIPTOR.services_by_name["IdentityService"]


class Answers:
    """A servicer whose methods raise the error of the test, or count bytes."""

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


def info_of(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info
