"""A running Quanyu, as one process or as a process for each service; every test that takes `quanyu` runs in both."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import FLOW, Quanyu


@pytest.fixture(params=["one process", "a process each"])
def quanyu(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Quanyu]:
    groups = [FLOW] if request.param == "one process" else [(service,) for service in FLOW]
    running = Quanyu(tmp_path / "data", groups)
    yield running
    running.stop(signal.SIGKILL)
