"""The command line: puts the services together. Nothing imports it."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from quanyu.engine import CoreError
from quanyu.runtime.errors import DomainError, from_core
from quanyu.runtime.logs import set_up_logging
from quanyu.runtime.memory import return_freed_memory
from quanyu.runtime.process import Opener, Process
from quanyu.runtime.settings import SERVICES, documented, settings_from

STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})
DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (QUANYU_DATA; default ./data).")


# Commands that other parts bring, imported when they are called: a serving process has no need of their libraries.
COMMANDS = {
    "demo": "quanyu.demo.command:demo",
    "import": "quanyu.importer.command:import_command",
    "rule": "quanyu.rulecli.commands:rule",
}


class Explained(click.Group):
    """Shows errors of the domain and the core as one message, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        # Before a command's module is loaded.
        return_freed_memory()
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(error.message) from error
        except CoreError as error:
            raise click.ClickException(from_core(error).message) from error


@click.group(cls=Explained)
@click.version_option(package_name="quanyu")
def main() -> None:
    """Quanyu: who is who, whom a rule means, and delivery to exactly those people, once."""


@main.command(epilog="All settings: quanyu settings")
@click.option(
    "--service", "services", type=click.Choice(SERVICES), multiple=True, help="Only these (default: all four)."
)
@DATA
@click.option("--port", type=int, help="Port to listen on (QUANYU_PORT; default 7400).")
@click.option("--host", help="Address to listen on (QUANYU_HOST; default 127.0.0.1).")
def serve(services: tuple[str, ...], data: Path | None, port: int | None, host: str | None) -> None:
    """Runs the services, until SIGTERM or SIGINT."""
    settings = settings_from(os.environ, data=data, port=port, host=host)
    set_up_logging(settings)
    # Blocked before any thread starts, so that only `sigwait` takes them; one that comes too early waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    chosen = [service for service in SERVICES if not services or service in services]
    process = Process(settings, {service: _opener(service) for service in chosen})
    process.start()
    click.echo(f"quanyu serves {', '.join(chosen)} on {process.address} (data in {settings.data})")
    signal.sigwait(STOPPING)
    process.stop()


@main.command()
@DATA
def migrate(data: Path | None) -> None:
    """Brings the database's tables to this version (serve does it too)."""
    from quanyu.runtime.db import Database
    from quanyu.runtime.folder import DataFolder
    from quanyu.runtime.migration import migrate as bring_up

    settings = settings_from(os.environ, data=data)
    folder = DataFolder.open(settings.data)
    database = Database(settings.database_url or folder.database_url())
    click.echo(f"the database is at revision {bring_up(database, folder)}")


@main.command()
def settings() -> None:
    """Lists the environment variables."""
    for variable, default, meaning in documented():
        click.echo(f"{variable}  {meaning} Default: {default or 'unset'}.")


def _opener(service: str) -> Opener:
    """Imports only what runs here: one service's process has no need of the others' libraries."""
    opener: Opener = import_module(f"quanyu.{service}.service").open_service
    return opener
