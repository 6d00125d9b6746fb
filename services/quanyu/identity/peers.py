"""What identity asks of ingestion, which writes the raw log."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from quanyu.api.event.v1 import log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.runtime.channels import asking

RECORD_SECONDS = 30.0


class Peers:
    """`ingestion`: opens the channel, which only who decides needs."""

    def __init__(self, ingestion: Callable[[], grpc.Channel]) -> None:
        self._ingestion = ingestion

    def record(self, workspace: str, decision: log_pb2.Decision) -> int:
        """The raw offset from which on it is decided, once it is durable."""
        request = ingestion_pb2.RecordDecisionRequest(workspace=workspace, decision=decision)
        with asking("ingestion"):
            recorded = IngestionServiceStub(self._ingestion()).RecordDecision(request, timeout=RECORD_SECONDS)
        return int(recorded.raw_offset)
