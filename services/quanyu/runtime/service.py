"""The interface between a process and its services, the same for all four.

Each of `quanyu.{ingestion,identity,tagging,delivery}.service` exports

    def open_service(context: ServiceContext) -> Service

and `quanyu.cli` opens the wanted services, registers them on one server, starts and stops them.
A service is called in the order `open_service`, `register`, `start`, `stop`, `close`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import grpc

from quanyu.runtime.rpc.channels import Channels
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.settings import Settings
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """Everything that a service gets from its process; there is no other global state."""

    settings: Settings
    # Checked, and locked for the services of this process.
    folder: DataFolder
    # Migrated to this version.
    database: Database
    # Authenticated channels to the services in this process and others.
    channels: Channels
    # Receives `report_failure` when background work of a service has ended.
    health: Health


class Service(Protocol):
    """A gRPC service and its background work."""

    @property
    def name(self) -> str:
        """The full gRPC name, such as `quanyu.api.tagging.v1.TaggingService`."""

    def register(self, server: grpc.Server) -> None:
        """Adds the handlers to the server, before it starts."""

    def start(self) -> None:
        """Starts background work; the server accepts calls by now, so the work may call other services."""

    def stop(self) -> None:
        """Ends background work that calls other services; the server still accepts calls."""

    def close(self) -> None:
        """Folds the rest of the logs, writes snapshots and closes files; no call runs any more."""
