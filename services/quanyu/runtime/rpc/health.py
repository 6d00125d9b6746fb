"""Reports whether each service can do its work, by the standard gRPC health service."""

from __future__ import annotations

import logging

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

log = logging.getLogger(__name__)


class Health:
    """The status of each service of this process by its full name; the empty name means the whole process."""

    def __init__(self) -> None:
        self._servicer = health.HealthServicer(experimental_non_blocking=True)
        self._servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    def register(self, server: grpc.Server) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def set_serving(self, *names: str) -> None:
        for name in names:
            self._servicer.set(name, health_pb2.HealthCheckResponse.SERVING)

    def report_failure(self, service: str, work: str, error: BaseException) -> None:
        """Marks a service NOT_SERVING because its background `work` (such as `folding tagging of shop`) has ended.

        The state of the service does not change any more until somebody acts.
        """
        log.error("%s: %s stopped: %s", service, work, error, exc_info=error)
        for affected in (service, ""):
            self._servicer.set(affected, health_pb2.HealthCheckResponse.NOT_SERVING)

    def set_stopping(self) -> None:
        """Marks every service NOT_SERVING, so that clients send their calls elsewhere."""
        self._servicer.enter_graceful_shutdown()
