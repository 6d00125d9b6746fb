"""The services of one process, on one port: opened, started and stopped in the order that loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from quanyu.engine import CoreError
from quanyu.runtime import rpc
from quanyu.runtime.channels import Channels
from quanyu.runtime.db import Database
from quanyu.runtime.errors import from_core
from quanyu.runtime.folder import DataFolder
from quanyu.runtime.health import Health
from quanyu.runtime.migration import migrate
from quanyu.runtime.service import Context, Service
from quanyu.runtime.settings import Settings

log = logging.getLogger(__name__)

Opener = Callable[[Context], Service]


class Process:
    """Opens everything, or raises a DomainError and leaves nothing open. Services are given in the order of the flow."""

    def __init__(self, settings: Settings, openers: Mapping[str, Opener]) -> None:
        self._settings = settings
        self._closing: list[Callable[[], None]] = []
        try:
            self._open(openers)
        except CoreError as error:
            self._close()
            raise from_core(error) from error
        except BaseException:
            self._close()
            raise

    def _open(self, openers: Mapping[str, Opener]) -> None:
        settings = self._settings
        self.health = Health()
        self._server = rpc.build_server(settings, self.health)
        self._closing.append(lambda: self._server.stop(grace=None).wait())
        port = rpc.bind(self._server, settings, settings.default_port(tuple(openers)))
        self.address = rpc.local_address(settings, port)
        folder = DataFolder.open(settings.data)
        self._closing.append(folder.unlock)
        for service in openers:
            folder.lock(service)
        database = Database(settings.database_url or folder.database_url())
        self._closing.append(database.close)
        migrate(database, folder)
        self.channels = Channels(settings, frozenset(openers), self.address)
        self._closing.append(self.channels.close)
        context = Context(settings, folder, database, self.channels, self.health)
        self._services: list[Service] = []
        # The writer of a log closes before its reader, which then folds what is left.
        self._closing.append(lambda: [service.close() for service in self._services] and None)
        for opener in openers.values():
            service = opener(context)
            self._services.append(service)
            service.register(self._server)
        rpc.add_reflection(self._server, [service.name for service in self._services])

    def start(self) -> None:
        """Accepts calls, begins background work, and says that it serves."""
        self._server.start()
        for service in self._services:
            service.start()
        self.health.serving("", *(service.name for service in self._services))

    def stop(self) -> None:
        """Ends background work, lets running calls finish, folds what is in the logs, writes snapshots, closes files."""
        self.health.stopping()
        for service in reversed(self._services):
            service.stop()
        self._server.stop(self._settings.stop_seconds).wait()
        self._close()

    def _close(self) -> None:
        while self._closing:
            try:
                self._closing.pop()()
            except Exception:
                log.exception("closing failed; the logs have everything that was acknowledged")
