"""Fixtures for tests of the tagging service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate
from quanyu.tagging import live
from tests.unit.tagging.live_shop import LiveShop
from tests.waiting import PATIENCE


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated database."""
    folder = DataFolder.open(tmp_path)
    made = Database(folder.database_url())
    migrate(made, folder)
    yield made
    made.close()


@pytest.fixture
def live_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveShop]:
    """A workspace with live segments that are updated only after `wake`, not by the passage of time."""
    monkeypatch.setattr(live, "TICK_SECONDS", 10.0 * PATIENCE)
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.1)
    made = LiveShop(tmp_path)
    yield made
    made.close()
