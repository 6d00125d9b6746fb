"""`quanyu migrate`: brings the database's tables to this version."""

from __future__ import annotations

import os
from pathlib import Path

import click

from quanyu.cli.options import DATA
from quanyu.runtime.settings import load_settings
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.migration import migrate as migrate_tables


@click.command()
@DATA
def migrate(data: Path | None) -> None:
    """Migrates the tables of the database to this version, as `quanyu serve` does when it starts."""
    settings = load_settings(os.environ, data=data)
    folder = DataFolder.open(settings.data)
    database = Database(settings.database_url or folder.database_url())
    click.echo(f"the database is at revision {migrate_tables(database, folder)}")
