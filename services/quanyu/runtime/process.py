"""Opens, starts and stops the services of one process, on one port, in an order that loses no data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from quanyu.engine import CoreError
from quanyu.runtime.errors import to_domain_error
from quanyu.runtime.rpc.channels import Channels
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.rpc.server import add_reflection, bind_port, build_server, local_address
from quanyu.runtime.service import Service, ServiceContext
from quanyu.runtime.settings import Settings
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate

Opener = Callable[[ServiceContext], Service]


class Process:
    """Opens all services, or raises a DomainError and leaves nothing open.

    `openers` are in the order of the data flow: the writer of a log before its readers.
    """

    def __init__(self, settings: Settings, openers: Mapping[str, Opener]) -> None:
        self._settings = settings
        self._services: list[Service] = []
        with ExitStack() as opened:
            try:
                self._open(openers, opened)
            except CoreError as error:
                raise to_domain_error(error) from error
            self._closing = opened.pop_all()

    def _open(self, openers: Mapping[str, Opener], opened: ExitStack) -> None:
        settings = self._settings
        self.health = Health()
        self._server = build_server(settings, self.health)
        opened.callback(lambda: self._server.stop(grace=None).wait())
        port = bind_port(self._server, settings, settings.default_port(tuple(openers)))
        self.address = local_address(settings, port)
        folder = DataFolder.open(settings.data)
        opened.callback(folder.unlock)
        for name in openers:
            folder.lock(name)
        if settings.database_url is None:
            folder.check_database()
        database = Database(settings.database_url or folder.database_url())
        opened.callback(database.close)
        migrate(database, folder)
        self.channels = Channels(settings, frozenset(openers), self.address)
        opened.callback(self.channels.close)
        opened.callback(self._close_services)
        context = ServiceContext(settings, folder, database, self.channels, self.health)
        for opener in openers.values():
            service = opener(context)
            self._services.append(service)
            service.register(self._server)
        add_reflection(self._server, [service.name for service in self._services])

    def start(self) -> None:
        """Accepts calls, starts background work, and reports that it serves."""
        self._server.start()
        for service in self._services:
            service.start()
        self.health.set_serving("", *(service.name for service in self._services))

    def stop(self) -> None:
        """Ends background work, lets running calls finish, folds the rest of the logs, writes snapshots, closes all."""
        self.health.set_stopping()
        for service in reversed(self._services):
            service.stop()
        self._server.stop(self._settings.stop_seconds).wait()
        self._closing.close()

    def _close_services(self) -> None:
        # The writer of a log closes before its reader, which then folds the rest of the log.
        with ExitStack() as closing:
            for service in reversed(self._services):
                closing.callback(service.close)
