"""Worlds in memory: a schema and some records through ingestion, identity and index, as those of a workspace go."""

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

# So late that nothing given lies in the future.
ARRIVAL_MS = LATEST_MS


@dataclass(frozen=True, slots=True)
class InMemoryWorkspace:
    """An index that has folded all there is, and who is who."""

    index: Index
    resolver: Resolver
    rejects: Sequence[ingestion_pb2.RejectedRecord]

    def person(self, identifier: event_pb2.Identifier) -> int:
        """Of whom a record that was not rejected came."""
        return self.resolver.resolve(identifier.namespace, identifier.value)


def build_in_memory_workspace(schema: bytes, records: Sequence[event_pb2.Record] = ()) -> InMemoryWorkspace:
    """Schema bytes and records, at most 100,000; its folder is gone on return. InvalidError where the schema is wrong;
    records that are come back as `rejects`.
    """
    with _folder() as folder:
        raw, refused = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
        ingestor = Ingestor(raw, refused, str(folder / "ingest"))
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
            refused.close()
    return InMemoryWorkspace(index, resolver, ingestion_pb2.IngestResponse.FromString(answer).rejects)


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="quanyu-world-")
    except OSError as error:
        message = f"no folder for temporary files can be made ({error}); point TMPDIR to one with room"
        raise Unavailable(message, reason="STORAGE") from error
    with folder as path:
        yield Path(path)
