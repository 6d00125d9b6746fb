"""`quanyu rule ...`: rules on a data folder, with no server running."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quanyu.dsl import Library
from quanyu.engine import Index
from quanyu.runtime.db import Database
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.eventlog import follow_log
from quanyu.runtime.folder import DataFolder
from quanyu.runtime.instants import now_ms
from quanyu.runtime.settings import settings_from
from quanyu.runtime.worker import FRAMES_BYTES
from quanyu.tagging.domain import Reading, refused
from quanyu.tagging.preview import Preview, preview
from quanyu.tagging.store import all_rules
from quanyu.tagging.workspace import names_of


@click.group()
def rule() -> None:
    """Tries rules out."""


@rule.command("preview")
@click.argument("text", metavar="RULE")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (QUANYU_DATA; default ./data).")
@click.option("--workspace", help="Which one (default: each that has the rule's names).")
@click.option(
    "--as-of", "as_of", help="Instant, such as 2026-01-31 or 2026-01-31T08:00 in the workspace's zone; default now."
)
@click.option("--known-at", type=click.IntRange(min=0), help="Raw offset: leaves out what came later; default all.")
def preview_command(
    text: str, data: Path | None, workspace: str | None, as_of: str | None, known_at: int | None
) -> None:
    """Counts whom a RULE means: a condition, or the text of a segment or tag."""
    settings = settings_from(os.environ, data=data)
    folder = DataFolder.existing(settings.data)
    if settings.database_url is None:
        folder.check_database()
    url = settings.database_url or folder.database_url()
    refusals: list[InvalidInput] = []
    chosen = _workspaces(folder, workspace)
    for name in chosen:
        try:
            _preview(folder, url, name, text, as_of, known_at, titled=len(chosen) > 1)
        except InvalidInput as refusal:
            refusals.append(refusal)
    if len(refusals) == len(chosen):
        raise refusals[0]


def _workspaces(folder: DataFolder, asked: str | None) -> list[str]:
    there = folder.workspaces()
    if not there or (asked is not None and asked not in there):
        raise NotFound(f"there is no such workspace; in {folder.path} there are: {', '.join(there) or 'none yet'}")
    return [asked] if asked is not None else there


def _preview(
    folder: DataFolder, url: str, workspace: str, text: str, as_of: str | None, known_at: int | None, *, titled: bool
) -> None:
    index = _index(folder, workspace)
    library = _library(url, workspace)
    names = names_of(index, known_at)
    reading = names.reading(library, now_ms())
    if as_of is not None:
        reading = names.reading(library, _instant(as_of, reading))
    with refused():
        found = preview(reading, index, reading.bind(text))
    if titled:
        click.echo(f"In workspace {workspace}:")
    _print(found, reading)


def _index(folder: DataFolder, workspace: str) -> Index:
    """The newest snapshot, and what the resolved log has beyond it; nothing is written."""
    index = Index.follow(str(folder.state(workspace, "tagging")))
    resolved = follow_log(folder, workspace, "resolved")
    while resolved.end() > index.offset():
        index.fold(resolved.read(index.offset(), FRAMES_BYTES))
    resolved.close()
    return index


def _library(url: str, workspace: str) -> Library:
    database = Database(url)
    with database.reading() as session:
        library = Library.of(published.text for published in all_rules(session, workspace))
    database.close()
    return library


def _instant(text: str, reading: Reading) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--as-of {text!r}: write a date or time such as 2026-01-31 or 2026-01-31T08:00") from None
    if not 1900 <= moment.year <= 9998:
        raise InvalidInput(f"--as-of {text!r}: it lies outside the years 1900 to 9998")
    if moment.tzinfo is None:
        return reading.clock.wall_ms(moment)
    return int(moment.timestamp() * 1000)


def _print(found: Preview, reading: Reading) -> None:
    console = Console()
    for counted in found.counts:
        table = Table(title=escape(counted.name), title_justify="left")
        table.add_column("clause", overflow="fold")
        table.add_column("people", justify="right")
        table.add_column("unknown", justify="right")
        for clause in counted.clauses:
            table.add_row(escape(clause.text), f"{clause.matched:,}", f"{clause.unknown:,}")
        table.add_section()
        table.add_row("[bold]all together", f"[bold]{counted.matched:,}", f"{counted.unknown:,}")
        console.print(table)
    for sentence in found.explanation:
        console.print(escape(sentence))
    for window in (window for compiled in found.compiled for window in compiled.windows):
        ends = dict.fromkeys((_local(window.from_ms, reading), _local(window.to_ms, reading)))
        console.print(escape(f"{window.text}: {' to '.join(ends)}"))
    answer = found.answer
    console.print(
        f"as of {_local(reading.clock.as_of_ms, reading)} ({reading.clock.zone}); {answer.universe:,} people known; "
        f"raw log folded up to {answer.epoch[0]:,}; {answer.microseconds / 1000:.1f} ms"
    )


def _local(ms: int | None, reading: Reading) -> str:
    if ms is None:
        return "open"
    return reading.clock.local(ms).isoformat(sep=" ", timespec="seconds")
