"""The command line: it puts the services together, and no other package imports it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from quanyu.engine import CoreError
from quanyu.runtime.errors import DomainError, to_domain_error
from quanyu.runtime.memory import return_freed_memory

# Each command's module is imported when the command runs: a serving process does not load the libraries of the others.
COMMANDS = {
    "demo": "quanyu.cli.demo.command:demo",
    "import": "quanyu.cli.import_command:import_command",
    "migrate": "quanyu.cli.migrate:migrate",
    "rule": "quanyu.cli.rule.group:rule",
    "serve": "quanyu.cli.serve:serve",
    "settings": "quanyu.cli.settings:settings",
}


class Commands(click.Group):
    """Loads a command's module when it runs, and shows a domain or engine error as one message without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        # This must run before the command's module allocates memory.
        return_freed_memory()
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(error.message) from error
        except CoreError as error:
            raise click.ClickException(to_domain_error(error).message) from error


@click.group(cls=Commands)
@click.version_option(package_name="quanyu")
def main() -> None:
    """Resolves identities, evaluates rules about people, and delivers to exactly those people, once."""
