"""`quanyu import`: shows a progress bar on a terminal, then how many rows were new, known and refused."""

from __future__ import annotations

import os
from pathlib import Path

import click
import grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from quanyu.importer.client import Imported, import_file
from quanyu.importer.mapping import Mapping, load_mapping
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.settings import load_settings, read_setting_file

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option(
    "--mapping",
    "mapping_file",
    type=_FILE,
    required=True,
    help="How rows become records (docs/import.md).",
)
@click.option("--workspace", required=True, help="Workspace that receives the records.")
@click.option("--server", default="127.0.0.1:7400", show_default=True, help="Address of the ingestion service.")
@click.pass_context
def import_command(ctx: click.Context, file: Path, mapping_file: Path, workspace: str, server: str) -> None:
    """Sends every row of a Parquet, CSV or NDJSON file as one record.

    Safe to repeat: records that have arrived before count as duplicates. Ends with status 1 if rows were refused.
    """
    settings = load_settings(os.environ)
    mapping = load_mapping(mapping_file)
    authority = read_setting_file(settings.tls_authority, "tls_authority")
    with open_channel(server, token=settings.auth_token(), authority=authority) as channel:
        imported = import_with_progress(file, mapping, workspace, channel, Console())
    ctx.exit(1 if imported.rejected else 0)


def import_with_progress(
    path: Path, mapping: Mapping, workspace: str, channel: grpc.Channel, console: Console
) -> Imported:
    """Imports a file, with a progress bar on a terminal, and prints the summary."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(path.name, total=None)
        imported = import_file(
            path, mapping, workspace, channel, lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print(format_summary(path.name, imported), highlight=False, markup=False, soft_wrap=True)
    return imported


def format_summary(name: str, imported: Imported) -> str:
    """Returns one line with the counts, and one line for each rejected row that is shown."""
    sent = imported.rows - imported.skipped
    parts = [f"{imported.accepted:,} new", f"{imported.duplicates:,} already there", f"{imported.rejected:,} refused"]
    skipped = f" after {imported.skipped:,} of an earlier run" if imported.skipped else ""
    rate = f" ({sent / imported.seconds:,.0f} rows/s)" if imported.seconds else ""
    lines = [f"{name}: {sent:,} rows{skipped} in {imported.seconds:.1f} s{rate}: {', '.join(parts)}"]
    for reject in imported.rejects:
        where = f"row {reject.row}" + (f", {reject.field}" if reject.field else "")
        lines.append(f"  {where}: {reject.message} ({reject.reason})")
    if imported.rejected > len(imported.rejects):
        lines.append(f"  and {imported.rejected - len(imported.rejects):,} more, kept as dead letters by the service")
    return "\n".join(lines)
