"""Imports a file: reads rows, sends them as requests, and counts the answers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pyarrow as pa

from quanyu.engine import CoreError, RecordEncoder
from quanyu.importer.mapping import Mapping
from quanyu.importer.progress import Progress
from quanyu.importer.rows import open_rows
from quanyu.importer.stream import send
from quanyu.runtime.errors import InvalidInput, to_domain_error

REJECTS_SHOWN = 20
# Rows that are sent again to check whether the server still has what it acknowledged.
_PROBE_ROWS = 1_000

# Called with (rows done, rows in the file or None) whenever rows are acknowledged.
Watcher = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that the service refused, and why."""

    row: int
    reason: str
    field: str
    message: str


@dataclass(slots=True)
class Imported:
    """The counts of an import: accepted + duplicates + rejected = rows sent.

    `skipped` rows were acknowledged in an earlier run and are not sent.
    """

    skipped: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    # The first REJECTS_SHOWN rejected rows.
    rejects: list[RejectedRow] = field(default_factory=list)
    # Queries see the rows once their epoch has reached this offset.
    raw_offset: int = 0
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        return self.skipped + self.accepted + self.duplicates + self.rejected


def import_file(
    path: Path, mapping: Mapping, workspace: str, channel: grpc.Channel, watch: Watcher = lambda done, total: None
) -> Imported:
    """Sends every row; returns when all are durable. Safe to repeat: continues where an earlier run stopped.

    Raises InvalidInput for a wrong file or mapping, and Unavailable if the server stops answering.
    """
    started = time.monotonic()
    rows = open_rows(path, mapping)
    progress = _load_progress(path, mapping, workspace, channel)
    imported = Imported(skipped=progress.rows)
    try:
        for response in send(channel, _requests(path, mapping, workspace, rows.starting_at(progress.rows))):
            first = imported.rows
            imported.accepted += response.accepted
            imported.duplicates += response.duplicates
            imported.rejected += len(response.rejects)
            imported.raw_offset = max(imported.raw_offset, response.raw_offset)
            for reject in response.rejects[: REJECTS_SHOWN - len(imported.rejects)]:
                imported.rejects.append(RejectedRow(first + reject.index, reject.reason, reject.field, reject.message))
            progress.advance(imported.rows)
            watch(imported.rows, rows.total)
    except Exception:
        progress.write()
        raise
    progress.remove()
    imported.seconds = time.monotonic() - started
    return imported


def _load_progress(path: Path, mapping: Mapping, workspace: str, channel: grpc.Channel) -> Progress:
    """Returns the progress of an earlier run if the server still has the rows before it, else of row 0.

    The server may have another data folder by now. Catalog items start at row 0: they have no key to check by.
    """
    progress = Progress.load(path, mapping, workspace)
    if progress.rows and (
        mapping.records == "item" or _has_lost_rows(path, mapping, workspace, channel, progress.rows)
    ):
        progress.rows = 0
    return progress


def _has_lost_rows(path: Path, mapping: Mapping, workspace: str, channel: grpc.Channel, rows: int) -> bool:
    """Sends the last rows before `rows` again; returns True if the server accepts one as new."""
    numbered = open_rows(path, mapping).starting_at(max(rows - _PROBE_ROWS, 0))
    known = (
        (first, batch.slice(0, rows - first))
        for first, batch in itertools.takewhile(lambda pair: pair[0] < rows, numbered)
    )
    return any(response.accepted for response in send(channel, _requests(path, mapping, workspace, known)))


def _requests(
    path: Path, mapping: Mapping, workspace: str, batches: Iterator[tuple[int, pa.RecordBatch]]
) -> Iterator[bytes]:
    try:
        encoder = RecordEncoder(mapping.encoded(), workspace)
        for first, batch in batches:
            yield from encoder.encode(_stream(batch), first)
    except CoreError as error:
        raise InvalidInput(
            f"{path}: {to_domain_error(error).message} (mapping {mapping.name})", reason="ROW_INVALID"
        ) from error


def _stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())
