"""Runs the migrations of the database (`quanyu.migrations`), at every start and by `quanyu migrate`."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from quanyu.runtime.errors import FailedPrecondition
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database


def migrate(database: Database, folder: DataFolder) -> str:
    """Migrates the tables to this version, only once if several processes start together; returns their revision.

    Raises FailedPrecondition if a newer version of Quanyu made them.
    """
    config = Config()
    config.set_main_option("script_location", "quanyu:migrations")
    with folder.exclusively("migration"), database.connecting() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise FailedPrecondition(
                f"the database was made by another version of Quanyu ({error}); use that one, or another data folder",
                reason="DATABASE_VERSION",
            ) from error
        connection.commit()
    return str(ScriptDirectory.from_config(config).get_current_head())
