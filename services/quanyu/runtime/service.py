"""How a service plugs into a process: the same for all four.

Each of `quanyu.{ingestion,identity,tagging,delivery}.service` exports

    def open_service(context: ServiceContext) -> Service

and `cli` does the rest: opens the wanted services, registers them on one server, starts and stops them. The order of a
service's life is `open_service`, `register`, `start`, ... , `stop`, `close`.
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
    """What a service is given. Nothing else is global."""

    settings: Settings
    # `<data>`: checked, locked for the services of this process; makes the paths of logs, state and delivered files.
    folder: DataFolder
    # Migrated. `database.reading()` / `database.writing()` give a Session.
    database: Database
    # `channels.to("tagging")`: a gRPC channel to a service, in this process or another; authenticated.
    channels: Channels
    # `health.report_failure(service, work, error)` when background work cannot go on.
    health: Health


class Service(Protocol):
    """A gRPC service and its background work."""

    @property
    def name(self) -> str:
        """Full gRPC name, such as `quanyu.api.tagging.v1.TaggingService`."""

    def register(self, server: grpc.Server) -> None:
        """Adds the handlers by `register_service`; called before the server starts."""

    def start(self) -> None:
        """Begins background work; the server accepts calls from here on, so other services can be called."""

    def stop(self) -> None:
        """Ends background work that calls other services, at a safe point; the server still accepts calls."""

    def close(self) -> None:
        """No handler runs any more: finish folding, write snapshots, close files."""
