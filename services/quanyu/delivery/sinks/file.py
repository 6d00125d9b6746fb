"""CSV and Parquet files: one part for each shard during delivery, one file and its manifest at the end.

The contents depend only on the messages, and each file appears atomically. So a delivery that was killed and resumed
ends with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from quanyu.delivery.domain import ACCEPTED, Outcome
from quanyu.delivery.sinks import Finished, Outgoing, Run, SinkFailedError
from quanyu.delivery.store import SHARD_PEOPLE

MANIFEST = "manifest.json"
_PARTS = "parts"


class FileSink:
    """Writes `<folder>/<campaign>.<csv|parquet>`; `kind` is the suffix."""

    # A part is a whole shard, so that sending again replaces all of it.
    batch = SHARD_PEOPLE

    def __init__(self, folder: Path, kind: str, run: Run) -> None:
        self._folder = folder
        self._kind = kind
        self._run = run
        optional = [("identifier", True), ("coupon", run.has_coupon), ("content", run.has_content)]
        fields: list[Any] = [pa.field("message_id", pa.string()), pa.field("person", pa.uint64())]
        fields += [pa.field(name, pa.string()) for name, wanted in optional if wanted]
        self._schema = pa.schema(fields)

    def check(self) -> None:
        """Does nothing: only writing shows whether the disk has room."""

    def send(self, shard: int, messages: Sequence[Outgoing]) -> list[Outcome]:
        columns: dict[str, list[Any]] = {
            "message_id": [message.key for message in messages],
            "person": [message.person for message in messages],
            "identifier": [message.identifier for message in messages],
            "coupon": [message.coupon for message in messages],
            "content": [message.content for message in messages],
        }
        table = pa.table({name: columns[name] for name in self._schema.names}, schema=self._schema)
        with self._replacing(self._folder / _PARTS / f"{shard:06d}.{self._kind}") as part:
            self._write(part, [table], with_header=False)
        return [ACCEPTED] * len(messages)

    def finish(self) -> list[Finished]:
        target = self._folder / f"{self._run.campaign}.{self._kind}"
        manifest = self._folder / MANIFEST
        parts = self._folder / _PARTS
        if not manifest.exists():
            described = [self._describe(path) for path in self._part_paths()]
            with self._replacing(target) as whole:
                self._assemble(whole)
            contents = {
                "campaign": self._run.campaign,
                "segment": self._run.segment,
                "as_of_ms": self._run.as_of_ms,
                "file": {**self._describe(target), "rows": sum(part["rows"] for part in described)},
                "parts": described,
            }
            with self._replacing(manifest) as file:
                file.write(json.dumps(contents, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n")
        shutil.rmtree(parts, ignore_errors=True)
        written = json.loads(manifest.read_bytes())["file"]
        return [Finished(target, written["rows"], bytes.fromhex(written["sha256"]))]

    def close(self) -> None:
        """Does nothing: no file stays open between two parts."""

    def _part_paths(self) -> list[Path]:
        return sorted((self._folder / _PARTS).glob(f"[0-9]*.{self._kind}"))

    def _assemble(self, whole: IO[bytes]) -> None:
        if self._kind == "parquet":
            self._write(whole, (pq.read_table(path) for path in self._part_paths()), with_header=True)
            return
        self._write(whole, [self._schema.empty_table()], with_header=True)
        for path in self._part_paths():
            with path.open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)

    def _write(self, file: IO[bytes], tables: Any, *, with_header: bool) -> None:
        if self._kind == "parquet":
            with pq.ParquetWriter(file, self._schema) as writer:
                for table in tables:
                    writer.write_table(table)
            return
        for table in tables:
            pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=with_header))

    def _describe(self, path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"name": path.name, "rows": self._rows(path), "sha256": digest}

    def _rows(self, path: Path) -> int:
        if self._kind == "parquet":
            return int(pq.read_metadata(path).num_rows)
        options = pa_csv.ReadOptions(column_names=self._schema.names)
        parsing = pa_csv.ParseOptions(newlines_in_values=True)
        with pa_csv.open_csv(path, options, parsing) as reader:
            return sum(batch.num_rows for batch in reader)

    @contextmanager
    def _replacing(self, path: Path) -> Iterator[IO[bytes]]:
        """Yields a file that atomically replaces `path` once it is complete and durable."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(temporary, 0o644)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            _sync_folder(path.parent)
        except OSError as error:
            raise SinkFailedError(
                f"cannot write {path}: {error.strerror or error}; free some space or allow writing, and "
                "start the campaign again"
            ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
