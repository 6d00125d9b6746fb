"""`quanyu settings`: lists the environment variables that configure a process."""

from __future__ import annotations

import click

from quanyu.runtime.settings import describe_settings


@click.command()
def settings() -> None:
    """Lists the environment variables with their meanings and defaults."""
    for variable, default, meaning in describe_settings():
        click.echo(f"{variable}  {meaning} Default: {default or 'unset'}.")
