"""The command of `make bench`."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from loadtests.bench import report
from loadtests.bench.bench import run
from loadtests.bench.comparison import Difference
from loadtests.bench.processes import SystemDied, limit_threads
from loadtests.bench.system import SYSTEMS
from loadtests.bench.world import SCALES

ROOT = Path("bench-data")


@click.command()
@click.option("--scale", type=click.Choice(list(SCALES)), default="small", show_default=True)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also writes the results to a file."
)
def main(scale: str, json_file: Path | None) -> None:
    """Compares Quanyu with ClickHouse, DuckDB, Polars and pyroaring on one synthetic data set."""
    console = Console()
    limit_threads()
    try:
        results = run(SCALES[scale], ROOT, SYSTEMS, console)
    except (Difference, SystemDied) as error:
        raise click.ClickException(str(error)) from error
    report.show(results, console)
    if json_file is not None:
        json_file.write_text(json.dumps(results.as_json(), ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main(prog_name="make bench")
