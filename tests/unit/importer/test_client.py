"""Imports of files: every row arrives once, also after interruptions."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from quanyu.importer import client
from quanyu.importer.client import import_file
from quanyu.importer.mapping import Mapping, parse_mapping
from quanyu.importer.progress import SUFFIX
from quanyu.runtime.errors import InvalidInput, Unavailable
from tests.unit.importer.ingestion_server import Server

# More than one request: the file is read in blocks of 1 MiB.
ROWS = 100_000
MAPPING = """
records: event
source: till
id: "{id}"
type: order
occurred_at: {column: at, format: ms}
identifiers: [{namespace: card, value: "{card}"}]
"""


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return parse_mapping(MAPPING, "till.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "till.csv"
    rows = (f"r{row},{1_700_000_000_000 + row},c{row % 7}\n" for row in range(ROWS))
    path.write_text("id,at,card\n" + "".join(rows))
    return path


def test_every_row_arrives_and_the_progress_file_is_removed(
    served: tuple[Server, grpc.Channel], mapping: Mapping, file: Path
) -> None:
    server, channel = served
    progress: list[tuple[int, int | None]] = []
    imported = import_file(file, mapping, "shop", channel, lambda done, total: progress.append((done, total)))
    assert server.keys == {f"r{row}" for row in range(ROWS)}
    assert (imported.accepted, imported.duplicates, imported.rejected, imported.skipped) == (ROWS, 0, 0, 0)
    assert progress[-1] == (ROWS, None)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert not file.with_name(file.name + SUFFIX).exists()


def test_repeating_an_import_sends_duplicates_only(
    served: tuple[Server, grpc.Channel], mapping: Mapping, file: Path
) -> None:
    _, channel = served
    import_file(file, mapping, "shop", channel)
    again = import_file(file, mapping, "shop", channel)
    assert (again.accepted, again.duplicates, again.skipped) == (0, ROWS, 0)


def test_an_import_continues_where_an_earlier_run_stopped(
    served: tuple[Server, grpc.Channel], mapping: Mapping, file: Path
) -> None:
    server, channel = served
    server.fails_at = 2
    with pytest.raises(Unavailable, match="the disk is full"):
        import_file(file, mapping, "shop", channel)
    arrived = len(server.keys)
    assert 0 < arrived < ROWS
    server.fails_at = 0
    imported = import_file(file, mapping, "shop", channel)
    assert (imported.skipped, imported.accepted) == (arrived, ROWS - arrived)
    assert len(server.keys) == ROWS


def test_a_server_that_lost_the_rows_gets_all_of_them(
    served: tuple[Server, grpc.Channel], mapping: Mapping, file: Path
) -> None:
    server, channel = served
    server.fails_at = 2
    with pytest.raises(Unavailable):
        import_file(file, mapping, "shop", channel)
    server.fails_at = 0
    server.keys.clear()
    imported = import_file(file, mapping, "shop", channel)
    # The import first sends some rows again, to check whether the server has them.
    assert (imported.skipped, imported.accepted + imported.duplicates) == (0, ROWS)
    assert len(server.keys) == ROWS


def test_a_row_that_cannot_be_encoded_names_file_and_mapping(
    served: tuple[Server, grpc.Channel], mapping: Mapping, tmp_path: Path
) -> None:
    _, channel = served
    path = tmp_path / "till.csv"
    path.write_text("id,at,card\nr1,1700000000000,c1\n,1700000000000,c2\n")
    with pytest.raises(InvalidInput, match=r"till\.csv: .*row 1.*mapping till\.yaml") as caught:
        import_file(path, mapping, "shop", channel)
    assert caught.value.reason == "ROW_INVALID"


def test_only_the_first_rejected_rows_are_kept(
    served: tuple[Server, grpc.Channel], mapping: Mapping, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, channel = served
    server.rejects = True
    imported = import_file(file, mapping, "shop", channel)
    assert imported.rejected == ROWS
    assert [reject.row for reject in imported.rejects] == list(range(client.REJECTS_SHOWN))
