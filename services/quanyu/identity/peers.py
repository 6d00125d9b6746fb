"""What identity asks of ingestion, which writes the raw and the dead-letter log."""

from __future__ import annotations

from collections.abc import Iterable

import grpc

from quanyu.api.event.v1 import log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.runtime.asking import asking

DECISION_SECONDS = 20.0
# A file of 64 MiB and more is written for each that changes.
REPLACE_SECONDS = 120.0


class Peers:
    """Errors come as the domain errors they are in the other service; Unavailable is worth trying again."""

    def __init__(self, ingestion: grpc.Channel) -> None:
        self._ingestion = IngestionServiceStub(ingestion)

    def record_decision(self, workspace: str, decision: log_pb2.Decision) -> int:
        """The raw offset to wait for."""
        request = ingestion_pb2.RecordDecisionRequest(workspace=workspace, decision=decision)
        with asking("ingestion"):
            return int(self._ingestion.RecordDecision(request, timeout=DECISION_SECONDS).raw_offset)

    def replace_raw(self, workspace: str, frames: Iterable[tuple[int, bytes]]) -> None:
        self._replace(ingestion_pb2.ReplaceFramesRequest(workspace=workspace, raw=_messages(frames)))

    def replace_rejects(self, workspace: str, frames: Iterable[tuple[int, bytes]]) -> None:
        self._replace(ingestion_pb2.ReplaceFramesRequest(workspace=workspace, rejects=_messages(frames)))

    def _replace(self, request: ingestion_pb2.ReplaceFramesRequest) -> None:
        with asking("ingestion"):
            self._ingestion.ReplaceFrames(request, timeout=REPLACE_SECONDS)


def _messages(frames: Iterable[tuple[int, bytes]]) -> list[ingestion_pb2.Frame]:
    return [ingestion_pb2.Frame(offset=offset, frame=frame) for offset, frame in frames]
