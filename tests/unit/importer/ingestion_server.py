"""A server that counts records by key in memory, as the ingestion service does on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc


class Server(ingestion_pb2_grpc.IngestionServiceServicer):
    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.fails_at = 0
        self.answers = threading.Semaphore(0)
        self.waits = False
        self.rejects = False

    def IngestStream(
        self, request_iterator: Iterator[ingestion_pb2.IngestRequest], context: grpc.ServicerContext
    ) -> Iterator[ingestion_pb2.IngestResponse]:
        for request in request_iterator:
            if request.sequence == self.fails_at:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "the disk is full")
            if self.waits:
                self.answers.acquire()
            if self.rejects:
                rejected = [
                    ingestion_pb2.RejectedRecord(index=index, reason="R") for index in range(len(request.records))
                ]
                yield ingestion_pb2.IngestResponse(sequence=request.sequence, rejects=rejected)
                continue
            keys = [record.event.id for record in request.records]
            new = set(keys) - self.keys
            self.keys |= new
            yield ingestion_pb2.IngestResponse(
                sequence=request.sequence,
                accepted=len(new),
                duplicates=len(keys) - len(new),
                raw_offset=request.sequence,
            )
