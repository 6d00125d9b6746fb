"""`quanyu migrate`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from quanyu.cli.options import DATA
from quanyu.runtime.db import Database
from quanyu.runtime.folder import DataFolder
from quanyu.runtime.migration import migrate as migrate_tables
from quanyu.runtime.settings import settings_from


@click.command()
@DATA
def migrate(data: Path | None) -> None:
    """Migrates the database's tables to this version; `quanyu serve` does so too."""
    settings = settings_from(os.environ, data=data)
    folder = DataFolder.open(settings.data)
    database = Database(settings.database_url or folder.database_url())
    click.echo(f"the database is at revision {migrate_tables(database, folder)}")
