"""Migrations: they create the declared tables, once, and reject a database of a newer version."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import quanyu
from quanyu.runtime.errors import FailedPrecondition
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Base, Database
from quanyu.runtime.storage.migration import migrate


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path)


@pytest.fixture
def database(folder: DataFolder) -> Iterator[Database]:
    made = Database(folder.database_url())
    yield made
    made.close()


def test_migrations_create_the_declared_tables(database: Database, folder: DataFolder) -> None:
    for file in Path(quanyu.__path__[0]).rglob("tables.py"):
        importlib.import_module(".".join(("quanyu", *file.relative_to(quanyu.__path__[0]).with_suffix("").parts)))
    migrate(database, folder)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_concurrent_and_repeated_migrations_change_nothing(database: Database, folder: DataFolder) -> None:
    with ThreadPoolExecutor(4) as pool:
        revisions = set(pool.map(lambda _: migrate(database, folder), range(4)))
    assert len(revisions) == 1


def test_a_database_of_a_newer_version_is_rejected(database: Database, folder: DataFolder) -> None:
    migrate(database, folder)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(FailedPrecondition, match="another version"):
        migrate(database, folder)
