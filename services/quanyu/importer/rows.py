"""Reads a Parquet, CSV or NDJSON file in batches, with only the columns that a mapping reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from quanyu.importer.mapping import Mapping
from quanyu.runtime.errors import InvalidInput

BATCH_ROWS = 16_384
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file in order; `total` is None if only reading the file tells."""

    total: int | None
    batches: Iterator[pa.RecordBatch]

    def starting_at(self, row: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yields the rows from `row` on, as batches with the number of their first row."""
        first = 0
        for batch in self.batches:
            skipped = min(max(row - first, 0), batch.num_rows)
            if skipped < batch.num_rows:
                yield first + skipped, batch.slice(skipped)
            first += batch.num_rows


def open_rows(path: Path, mapping: Mapping) -> Rows:
    """Opens a file; raises InvalidInput if it cannot be read, is of another kind, or lacks a column."""
    openers = {".parquet": _parquet, ".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson}
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise InvalidInput(f"{path}: only {', '.join(openers)} files can be imported", reason="FILE_KIND")
    try:
        return opener(path, mapping)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _parquet(path: Path, mapping: Mapping) -> Rows:
    file = pq.ParquetFile(path)
    columns = _columns_to_read(path, mapping, file.schema_arrow.names)
    batches = file.iter_batches(BATCH_ROWS, columns=columns)
    return Rows(file.metadata.num_rows, _explained(path, batches))


def _csv(path: Path, mapping: Mapping) -> Rows:
    with path.open("rb") as file:
        header = pyarrow.csv.open_csv(pa.BufferReader(file.readline())).schema.names
    columns = _columns_to_read(path, mapping, header)
    types = dict.fromkeys(mapping.integer_columns(), pa.int64()) | dict.fromkeys(mapping.text_columns(), pa.string())
    convert = pyarrow.csv.ConvertOptions(
        include_columns=columns,
        column_types=types,
        # Only an empty field is null: `NA` may be a country, and `NULL` a name.
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    return Rows(None, _explained(path, pyarrow.csv.open_csv(path, convert_options=convert)))


def _ndjson(path: Path, mapping: Mapping) -> Rows:
    reader = pyarrow.json.open_json(path, read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES))
    columns = _columns_to_read(path, mapping, reader.schema.names)
    return Rows(None, (batch.select(columns) for batch in _explained(path, reader)))


def _columns_to_read(path: Path, mapping: Mapping, names: list[str]) -> list[str]:
    """Returns the columns to read; raises InvalidInput if the file lacks one or repeats one."""
    for column in mapping.columns():
        if names.count(column) > 1:
            raise InvalidInput(
                f"{path}: column `{column}` occurs {names.count(column)} times; rename the others",
                reason="REPEATED_COLUMN",
            )
        if column not in names:
            near = difflib.get_close_matches(column, names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; it has {', '.join(names)}"
            raise InvalidInput(
                f"mapping {mapping.name}: {path} has no column `{column}`{hint}", reason="MISSING_COLUMN"
            )
    return mapping.columns()


def _explained(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    message = str(error)
    advice = ""
    if isinstance(error, UnicodeDecodeError) or "UTF8" in message:
        advice = "; save it as UTF-8"
    elif "straddl" in message:
        advice = "; one of its lines has more than 1 MiB, the limit of a record"
    return InvalidInput(f"{path}: cannot be read: {message}{advice}", reason="FILE_UNREADABLE")
