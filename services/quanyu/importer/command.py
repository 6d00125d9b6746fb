"""`quanyu import` as seen on a terminal: a progress bar, then what became of the rows."""

from __future__ import annotations

from pathlib import Path

import grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from quanyu.importer.client import Imported, import_file
from quanyu.importer.mapping import Mapping


def import_visibly(path: Path, mapping: Mapping, workspace: str, channel: grpc.Channel, console: Console) -> Imported:
    """`import_file` with a progress bar where the console is a terminal, and a line that says what became of the rows."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(path.name, total=None)
        imported = import_file(
            path, mapping, workspace, channel, lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print(summary(path.name, imported), highlight=False, soft_wrap=True)
    return imported


def summary(name: str, imported: Imported) -> str:
    """One line, and one for each rejected row that is shown."""
    sent = imported.rows - imported.skipped
    parts = [f"{imported.accepted:,} new", f"{imported.duplicates:,} already there", f"{imported.rejected:,} refused"]
    skipped = f" after {imported.skipped:,} of an earlier run" if imported.skipped else ""
    rate = f"{sent / imported.seconds:,.0f} rows/s" if imported.seconds else "no time"
    lines = [f"{name}: {sent:,} rows{skipped} in {imported.seconds:.1f} s ({rate}): {', '.join(parts)}"]
    for reject in imported.rejects:
        where = f"row {reject.row}" + (f", {reject.field}" if reject.field else "")
        lines.append(f"  {where}: {reject.message} ({reject.reason})")
    if imported.rejected > len(imported.rejects):
        lines.append(
            f"  and {imported.rejected - len(imported.rejects):,} more; the service keeps them all as dead letters"
        )
    return "\n".join(lines)
