"""Fixtures for tests of the tagging service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated database, as the program makes it."""
    folder = DataFolder.open(tmp_path)
    made = Database(folder.database_url())
    migrate(made, folder)
    yield made
    made.close()
