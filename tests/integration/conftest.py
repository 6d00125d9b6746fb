"""A running server, as one process or one process for each service; each test that uses `quanyu` runs with both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.integration.server_process import FLOW, Quanyu, running

_names = (f"shop{number}" for number in count())


@pytest.fixture(scope="session", params=["one process", "a process each"])
def groups(request: pytest.FixtureRequest) -> list[tuple[str, ...]]:
    return [FLOW] if request.param == "one process" else [(service,) for service in FLOW]


@pytest.fixture(scope="session")
def shared(groups: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quanyu]:
    with running(tmp_path_factory.mktemp("quanyu") / "data", groups) as quanyu:
        yield quanyu


@pytest.fixture
def quanyu(shared: Quanyu) -> Quanyu:
    """Returns the server with a new workspace for the test."""
    shared.workspace = next(_names)
    return shared
