"""The SQL database: definitions, campaigns, the delivery ledger. Nobody reads the tables of another service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from quanyu.runtime.errors import DataLoss, InvalidInput, ResourceExhausted, Unavailable

BUSY_TIMEOUT_MS = 10_000


class Base(DeclarativeBase):
    """Declarative base of every service's tables; names constraints so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """Sessions on one database. Unavailable while it is locked or unreachable, DataLoss if its file is damaged."""

    def __init__(self, url: str) -> None:
        try:
            self.engine = create_engine(make_url(url), pool_pre_ping=not url.startswith("sqlite"))
        except (ArgumentError, ImportError) as error:
            raise InvalidInput(
                f"QUANYU_DATABASE_URL: {error}; write a SQLAlchemy URL such as sqlite:////var/lib/quanyu.db, "
                "and install its driver beside Quanyu",
                reason="INVALID_SETTING",
            ) from error
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view; rows read in it stay readable after it. Nothing changed in it is kept."""
        with _reachable(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed, durably, at the end of the block; rolled back if it raises."""
        writer = self.engine.execution_options(quanyu_writes=True)
        with _reachable(), Session(writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """A bare connection, for what changes the tables themselves."""
        with _reachable(), self.engine.connect() as connection:
            yield connection

    def scrub(self) -> bool:
        """What was overwritten or removed is no longer in the files of SQLite; False while somebody still reads it."""
        if self.engine.dialect.name != "sqlite":
            return True
        with self.connecting() as connection:
            driver: Any = connection.connection.driver_connection
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # Transactions are begun below; sqlite3 itself begins them too late, and never for reading.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            # What is removed is overwritten: it may be of somebody who is to be forgotten.
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer, so writers say so at once.
        writes = connection.get_execution_options().get("quanyu_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL":
            raise ResourceExhausted(f"{error.orig}; free some space and try again", reason="DISK_FULL") from error
        raise Unavailable(f"the database cannot be used now: {error.orig}; try again", reason="DATABASE") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # a subclass is about a statement, this about the file
            raise
        raise DataLoss(
            f"the database (quanyu.db in the data folder, or what QUANYU_DATABASE_URL names) is damaged: {error.orig}; "
            "put a backup in its place",
            reason="DAMAGED_DATABASE",
        ) from error
