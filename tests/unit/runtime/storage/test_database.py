"""The database: its settings, its transactions, and the errors of its connection."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from quanyu.runtime.errors import InvalidInput, ResourceExhausted, Unavailable
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path)


@pytest.fixture
def database(folder: DataFolder) -> Iterator[Database]:
    made = Database(folder.database_url())
    yield made
    made.close()


def test_sqlite_commits_are_durable(database: Database) -> None:
    with database.reading() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_writers_that_read_first_wait_for_each_other(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("CREATE TABLE counter (n INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))

    def count_up(_: int) -> None:
        with database.writing() as session:
            n = session.scalar(text("SELECT n FROM counter"))
            session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(100)))
    with database.reading() as session:
        assert session.scalar(text("SELECT n FROM counter")) == 100


def test_a_block_that_raises_is_rolled_back(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
    with pytest.raises(OverflowError), database.writing() as session:  # noqa: PT012 (the rollback is what is tested)
        session.execute(text("INSERT INTO t VALUES (1)"))
        raise OverflowError
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM t")) == 0


def test_a_reader_does_not_see_later_commits(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
    with database.reading() as reader:
        assert reader.scalar(text("SELECT count(*) FROM t")) == 0
        with database.writing() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.scalar(text("SELECT count(*) FROM t")) == 0


def test_the_error_of_an_invalid_url_names_the_setting() -> None:
    with pytest.raises(InvalidInput, match="QUANYU_DATABASE_URL"):
        Database("not a url")


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/x.db")
    with pytest.raises(Unavailable, match="database"), database.reading() as session:
        session.execute(text("SELECT 1"))


def test_a_full_disk_is_a_different_error_than_a_busy_database(database: Database, folder: DataFolder) -> None:
    migrate(database, folder)
    with database.writing() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # of the one connection
    with pytest.raises(ResourceExhausted, match="free some space"), database.writing() as session:
        session.execute(text("CREATE TABLE big AS SELECT zeroblob(1000000)"))
