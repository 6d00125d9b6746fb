"""The server that tests of the identity service call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.local_server import LocalServer, serve_shop


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with serve_shop(tmp_path_factory.mktemp("shop")) as server:
        yield server
