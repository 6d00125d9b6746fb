"""The tagging service: its calls and its open workspaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quanyu.runtime.rpc.channels import Channels
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.settings import Settings
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.tagging.service import DESCRIPTOR, open_service


class Handlers:
    """A server that records the handlers added to it."""

    def __init__(self) -> None:
        self.added: list[Any] = []

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self.added.extend(handlers)


@pytest.fixture
def context(database: Database, tmp_path: Path) -> ServiceContext:
    settings = Settings()
    channels = Channels(settings, frozenset(), "127.0.0.1:1")
    return ServiceContext(settings, DataFolder.open(tmp_path / "data"), database, channels, Health())


def test_every_call_of_the_service_has_a_handler(context: ServiceContext) -> None:
    service = open_service(context)
    server = Handlers()
    service.register(server)  # type: ignore[arg-type]
    (handler,) = server.added
    assert handler.service_name() == service.name == DESCRIPTOR.full_name
    assert service.name == "quanyu.api.tagging.v1.TaggingService"
    service.stop()
    service.close()
