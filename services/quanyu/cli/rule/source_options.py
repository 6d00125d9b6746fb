"""The options that choose what rules are read against, and the sources that they open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from quanyu.cli.rule.sources.local import open_catalog, open_data_folder, open_empty
from quanyu.cli.rule.sources.server import open_server
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.runtime.errors import NotFound
from quanyu.runtime.settings import load_settings
from quanyu.runtime.storage.data_folder import DataFolder

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--server", metavar="HOST:PORT", help="Uses a running server (needs --workspace)."),
    click.option("--data", type=click.Path(path_type=Path), help="Uses a data folder (QUANYU_DATA; default ./data)."),
    click.option("--catalog", type=click.Path(path_type=Path), help="Uses the names in a file, which has no people."),
    click.option("--workspace", help="Workspace of the server or data folder."),
)


def source_options(command: F) -> F:
    """Adds --server, --data, --catalog and --workspace to a command, which passes them to `open_source`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def open_source(**where: Any) -> Iterator[RuleSource]:
    """Opens the workspace that the options choose; --workspace is optional if the data folder has only one."""
    with open_sources(is_one=True, **where) as found:
        yield found[0]


@contextmanager
def open_source_or_empty(**where: Any) -> Iterator[RuleSource]:
    """Opens the workspace that the options choose, or a workspace without names if no option is given."""
    if any(place is not None for place in where.values()):
        with open_source(**where) as found:
            yield found
    else:
        yield open_empty(load_settings(os.environ))


@contextmanager
def open_sources(
    *, server: str | None, data: Path | None, catalog: Path | None, workspace: str | None, is_one: bool = False
) -> Iterator[list[RuleSource]]:
    """Opens what the options choose: all workspaces of a data folder, unless --workspace names one."""
    if sum(place is not None for place in (server, data, catalog)) > 1:
        raise click.UsageError("give only one of --server, --data and --catalog")
    if catalog is not None and workspace is not None:
        raise click.UsageError("--catalog has only one workspace: leave --workspace out")
    settings = load_settings(os.environ, data=data)
    if catalog is not None:
        yield [open_catalog(settings, catalog)]
    elif server is not None:
        if workspace is None:
            raise click.UsageError("--server needs --workspace")
        with open_server(settings, server, workspace) as found:
            yield [found]
    else:
        folder = DataFolder.existing(settings.data)
        chosen = _choose_workspaces(folder, workspace)
        if is_one and len(chosen) > 1:
            raise click.UsageError(f"choose a workspace with --workspace: {', '.join(chosen)}")
        yield [open_data_folder(settings, folder, name) for name in chosen]


def _choose_workspaces(folder: DataFolder, asked: str | None) -> list[str]:
    existing = folder.workspaces()
    if not existing or (asked is not None and asked not in existing):
        raise NotFound(f"{folder.path} has no such workspace; it has: {', '.join(existing) or 'none yet'}")
    return [asked] if asked is not None else existing
