"""The command `quanyu demo`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from quanyu.cli.demo.runner import run


@click.command("demo")
@click.option(
    "--people",
    type=click.IntRange(1, 10_000_000),
    default=200_000,
    show_default=True,
    help="Customers of the generated dataset.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-data"),
    show_default=True,
    help="Data folder; the demo empties it first if an earlier demo made it.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also writes the results to this file, as JSON.",
)
def demo(people: int, data: Path, json_file: Path | None) -> None:
    """Imports two datasets, evaluates segments and tags, and runs a campaign on each."""
    run(people, data, json_file, Console())
