"""Calls ingestion, which writes the raw log and the dead-letter log."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import grpc

from quanyu.api.event.v1 import log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.runtime.rpc.channels import domain_errors_of

RECORD_SECONDS = 30.0
# A replacement rewrites files of 64 MiB and more.
REPLACE_SECONDS = 120.0


class IngestionClient:
    """Calls ingestion. `ingestion` opens the channel on the first call, because only decisions need it."""

    def __init__(self, ingestion: Callable[[], grpc.Channel]) -> None:
        self._ingestion = ingestion

    def record(self, workspace: str, decision: log_pb2.Decision) -> int:
        """Records a decision; returns the raw offset from which on it applies, once it is durable."""
        request = ingestion_pb2.RecordDecisionRequest(workspace=workspace, decision=decision)
        with domain_errors_of("ingestion"):
            recorded = IngestionServiceStub(self._ingestion()).RecordDecision(request, timeout=RECORD_SECONDS)
        return int(recorded.raw_offset)

    def replace_raw(self, workspace: str, frames: Iterable[tuple[int, bytes]]) -> None:
        self._replace(ingestion_pb2.ReplaceFramesRequest(workspace=workspace, raw=_messages(frames)))

    def replace_rejects(self, workspace: str, frames: Iterable[tuple[int, bytes]]) -> None:
        self._replace(ingestion_pb2.ReplaceFramesRequest(workspace=workspace, rejects=_messages(frames)))

    def _replace(self, request: ingestion_pb2.ReplaceFramesRequest) -> None:
        with domain_errors_of("ingestion"):
            IngestionServiceStub(self._ingestion()).ReplaceFrames(request, timeout=REPLACE_SECONDS)


def _messages(frames: Iterable[tuple[int, bytes]]) -> list[ingestion_pb2.Frame]:
    return [ingestion_pb2.Frame(offset=offset, frame=frame) for offset, frame in frames]
