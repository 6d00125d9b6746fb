"""IngestionService: finds the workspace and passes the request bytes to the Rust core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2 as pb
from quanyu.engine import Ingestor, LocalLog, peek_workspace
from quanyu.ingestion.deadletters import read_page
from quanyu.ingestion.domain import check_complete, check_zone
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.paging import page_limit
from quanyu.runtime.rpc.server import register_service, takes_bytes
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.storage.event_log import create_log, follow_log
from quanyu.runtime.workspaces import OpenWorkspaces

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["IngestionService"]


@dataclass(frozen=True, slots=True)
class Intake:
    """The writer of a workspace's raw and dead-letter logs."""

    ingestor: Ingestor
    raw: LocalLog
    rejects: LocalLog

    def close(self) -> None:
        self.ingestor.close()
        self.raw.close()
        self.rejects.close()


class IngestionService:
    """Implements ingestion.proto."""

    name = DESCRIPTOR.full_name

    def __init__(self, context: ServiceContext) -> None:
        self._folder = context.folder
        self._workspaces = OpenWorkspaces(context.folder, self._open)
        self._workspaces.open_existing()

    def register(self, server: grpc.Server) -> None:
        register_service(server, DESCRIPTOR, self)

    def start(self) -> None:
        """Does nothing: there is no background work, because a call is durable when it returns."""

    def stop(self) -> None:
        """Does nothing: there is no background work."""

    def close(self) -> None:
        self._workspaces.close()

    @takes_bytes
    def Ingest(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        intake = self._workspaces.get(peek_workspace(request), create=True)
        return intake.ingestor.ingest(request, now_ms())

    @takes_bytes
    def IngestStream(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield self.Ingest(request, context)

    def PutSchema(self, request: pb.PutSchemaRequest, context: grpc.ServicerContext) -> pb.PutSchemaResponse:
        check_zone(request.schema)
        ingestor = self._workspaces.get(request.workspace, create=True).ingestor
        offset = ingestor.put_schema(request.schema.SerializeToString(), now_ms())
        return pb.PutSchemaResponse(schema=event_pb2.Schema.FromString(ingestor.schema()), raw_offset=offset)

    def GetSchema(self, request: pb.GetSchemaRequest, context: grpc.ServicerContext) -> pb.GetSchemaResponse:
        ingestor = self._workspaces.get(request.workspace).ingestor
        return pb.GetSchemaResponse(schema=event_pb2.Schema.FromString(ingestor.schema()))

    def RecordDecision(
        self, request: pb.RecordDecisionRequest, context: grpc.ServicerContext
    ) -> pb.RecordDecisionResponse:
        ingestor = self._workspaces.get(request.workspace).ingestor
        offset = ingestor.record_decision(request.decision.SerializeToString(), now_ms())
        return pb.RecordDecisionResponse(raw_offset=offset)

    def ReplaceFrames(
        self, request: pb.ReplaceFramesRequest, context: grpc.ServicerContext
    ) -> pb.ReplaceFramesResponse:
        intake = self._workspaces.get(request.workspace)
        intake.raw.replace([(frame.offset, frame.frame) for frame in request.raw])
        intake.rejects.replace([(frame.offset, frame.frame) for frame in request.rejects])
        return pb.ReplaceFramesResponse()

    def ListDeadLetters(
        self, request: pb.ListDeadLettersRequest, context: grpc.ServicerContext
    ) -> pb.ListDeadLettersResponse:
        rejects = self._workspaces.get(request.workspace).rejects
        letters, token = read_page(rejects, request.page_token, page_limit(request.page_size))
        return pb.ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    def _open(self, workspace: str) -> Intake:
        raw = create_log(self._folder, workspace, "raw")
        check_complete(self._folder.log(workspace, "raw"), raw, follow_log(self._folder, workspace, "resolved"))
        rejects = create_log(self._folder, workspace, "rejects")
        return Intake(Ingestor(raw, rejects, str(self._folder.state(workspace, "ingestion"))), raw, rejects)


def open_service(context: ServiceContext) -> IngestionService:
    return IngestionService(context)
