"""Whether each service can do its work: the standard gRPC health service."""

from __future__ import annotations

import logging

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

log = logging.getLogger(__name__)


class Health:
    """Status of each service of this process, by full name; the empty name is the process as a whole."""

    def __init__(self) -> None:
        self._servicer = health.HealthServicer(experimental_non_blocking=True)
        self._servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    def register(self, server: grpc.Server) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def serving(self, *names: str) -> None:
        for name in names:
            self._servicer.set(name, health_pb2.HealthCheckResponse.SERVING)

    def failed(self, name: str, error: BaseException) -> None:
        """Background work of a service cannot go on: its state stays as it is until somebody acts."""
        log.error("%s stopped folding: %s", name, error, exc_info=error)
        for affected in (name, ""):
            self._servicer.set(affected, health_pb2.HealthCheckResponse.NOT_SERVING)

    def stopping(self) -> None:
        """Every service, so that no new work is sent here."""
        self._servicer.enter_graceful_shutdown()
