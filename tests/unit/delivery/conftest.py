from collections.abc import Iterator
from pathlib import Path

import pytest

from quanyu.delivery.store import Store
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path / "data")


@pytest.fixture
def database(folder: DataFolder) -> Iterator[Database]:
    database = Database(folder.database_url())
    migrate(database, folder)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)
