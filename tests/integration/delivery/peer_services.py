"""A gRPC server that answers calls of delivery to the tagging and identity services from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.engine import roaring_from_ids, roaring_ids
from quanyu.runtime.rpc.channels import MESSAGE_LIMITS

CHUNK = 4096
AS_OF_MS = 1_514_782_800_000


class PeerServices:
    """The tagging and identity services: members by segment, and values by namespace and person."""

    def __init__(self) -> None:
        self.clear()
        self._server = grpc.server(ThreadPoolExecutor(4), options=MESSAGE_LIMITS)
        self._server.add_generic_rpc_handlers(
            (
                _stream(
                    tagging_pb2.DESCRIPTOR, "TaggingService", "Evaluate", tagging_pb2.EvaluateRequest, self.evaluate
                ),
                _stream(
                    identity_pb2.DESCRIPTOR,
                    "IdentityService",
                    "ListIdentifiers",
                    identity_pb2.ListIdentifiersRequest,
                    self.list_identifiers,
                ),
            )
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def clear(self) -> None:
        self.segments: dict[str, list[int]] = {}
        self.identifiers: dict[str, dict[int, str]] = {}
        self.digest_of = hashlib.sha256

    def close(self) -> None:
        self._server.stop(None).wait()

    def evaluate(
        self, request: tagging_pb2.EvaluateRequest, context: grpc.ServicerContext
    ) -> Iterator[tagging_pb2.EvaluateResponse]:
        if request.segment not in self.segments:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no segment {request.segment!r}")
        members = self.segments[request.segment]
        persons = roaring_from_ids(members)
        header = tagging_pb2.EvaluateHeader(count=len(members), sha256=self.digest_of(persons).digest())
        header.rule.name, header.rule.version = request.segment, request.version or 3
        header.basis.epoch.raw_offset = 42
        header.basis.as_of.FromMilliseconds(AS_OF_MS)
        if request.as_of.HasField("instant"):
            header.basis.as_of.CopyFrom(request.as_of.instant)
        yield tagging_pb2.EvaluateResponse(header=header, roaring=persons[:CHUNK])
        for i in range(CHUNK, len(persons), CHUNK):
            yield tagging_pb2.EvaluateResponse(roaring=persons[i : i + CHUNK])

    def list_identifiers(
        self, request: identity_pb2.ListIdentifiersRequest, _context: grpc.ServicerContext
    ) -> Iterator[identity_pb2.ListIdentifiersResponse]:
        known = self.identifiers.get(request.namespace, {})
        found = [person for person in roaring_ids(request.persons, 0, 2**31) if person in known]
        for i in range(0, len(found), 1000):
            chunk = found[i : i + 1000]
            yield identity_pb2.ListIdentifiersResponse(persons=chunk, values=[known[person] for person in chunk])


def _stream(file: object, service: str, method: str, request: type, answer: object) -> grpc.GenericRpcHandler:
    name = file.services_by_name[service].full_name  # type: ignore[attr-defined]
    handler = grpc.unary_stream_rpc_method_handler(answer, request.FromString, lambda m: m.SerializeToString())  # type: ignore[attr-defined]
    return grpc.method_handlers_generic_handler(name, {method: handler})
