"""The migrations create the declared tables."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from quanyu.runtime.storage.database import Base, Database
from quanyu.tagging.storage import tables

NAMES = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if mapper.class_.__module__ == tables.__name__}


def test_migrations_create_the_declared_tables(database: Database) -> None:
    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
        return kind != "table" or name in NAMES

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert {"rules", "proposals", "drafts"} == NAMES
