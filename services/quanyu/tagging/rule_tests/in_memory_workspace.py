"""Builds a workspace in memory: sends a schema and records through ingestion, identity and index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.engine import Index, Ingestor, LocalLog, Resolver
from quanyu.runtime.errors import Unavailable
from quanyu.runtime.instants import LATEST_MS

# Records arrive at the last valid instant, so that no event is in the future.
ARRIVAL_MS = LATEST_MS


@dataclass(frozen=True, slots=True)
class InMemoryWorkspace:
    """An index that has folded all records, and the resolver of their identifiers."""

    index: Index
    resolver: Resolver
    rejects: Sequence[ingestion_pb2.RejectedRecord]

    def person(self, identifier: event_pb2.Identifier) -> int:
        """Returns the person of an identifier that an accepted record has."""
        return self.resolver.resolve(identifier.namespace, identifier.value)


def build_in_memory_workspace(schema: bytes, records: Sequence[event_pb2.Record] = ()) -> InMemoryWorkspace:
    """Builds a workspace from schema bytes and at most 100,000 records; leaves no files behind.

    Wrong records are returned as `rejects`. Raises InvalidError if the schema is wrong.
    """
    with _temporary_folder() as folder:
        raw, rejects = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
        ingestor = Ingestor(raw, rejects, str(folder / "ingest"))
        try:
            ingestor.put_schema(schema, ARRIVAL_MS)
            request = ingestion_pb2.IngestRequest(workspace="world", records=records)
            answer = ingestor.ingest(request.SerializeToString(), ARRIVAL_MS) if records else b""
            index, resolver = Index(str(folder / "index")), Resolver(str(folder / "identity"))
            frames = raw.read(0, 1 << 30)
            index.fold([(offset, resolver.fold(offset, frame)) for offset, frame in frames])
        finally:
            ingestor.close()
            raw.close()
            rejects.close()
    return InMemoryWorkspace(index, resolver, ingestion_pb2.IngestResponse.FromString(answer).rejects)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="quanyu-world-")
    except OSError as error:
        message = f"cannot make a temporary folder ({error}); set TMPDIR to a folder with free space"
        raise Unavailable(message, reason="STORAGE") from error
    with folder as path:
        yield Path(path)
