"""The SQL database of rules, campaigns and the delivery ledger; a service reads only its own tables."""

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
    """The declarative base of all tables; it names constraints, so that migrations can change them."""

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
    """Opens sessions on one database.

    Raises Unavailable while the database is locked or unreachable, and DataLoss if its file is damaged.
    """

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
        """Yields a session with one consistent view; its rows stay readable afterwards, and changes are dropped."""
        with _reachable(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yields a session in one transaction: committed durably at the end of the block, rolled back if it raises."""
        writer = self.engine.execution_options(quanyu_writes=True)
        with _reachable(), Session(writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Yields a bare connection, for migrations."""
        with _reachable(), self.engine.connect() as connection:
            yield connection

    def scrub(self) -> bool:
        """Removes deleted and overwritten bytes from the files of SQLite; returns False while a reader prevents it."""
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
        # `begin` below begins transactions: sqlite3 itself begins them too late, and never for reading.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            # Deleted rows are overwritten: they may belong to a person who was erased.
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that first reads and then writes cannot wait for another writer, so a writer locks at once.
        writes = connection.get_execution_options().get("quanyu_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL":
            raise ResourceExhausted(f"{error.orig}; free some space and try again", reason="DISK_FULL") from error
        raise Unavailable(f"the database is not usable now: {error.orig}; try again", reason="DATABASE") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # A subclass concerns a statement, DatabaseError itself the file.
            raise
        raise DataLoss(
            f"the database (quanyu.db in the data folder, or what QUANYU_DATABASE_URL names) is damaged: {error.orig}; "
            "put a backup in its place",
            reason="DAMAGED_DATABASE",
        ) from error
