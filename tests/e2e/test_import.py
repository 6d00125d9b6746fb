"""`quanyu import` sends files to real services: rejections, repetitions and interrupted imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.cli.demo.server import running
from quanyu.importer.mapping import load_mapping
from quanyu.importer.progress import Progress
from tests.waiting import PATIENCE, wait_until

MAPPING = """
records: event
source: till
id: '{number}'
type: order
occurred_at: at
channel: pos
identifiers:
  - {namespace: card, value: '{card}'}
properties:
  amount: {column: amount, as: decimal}
"""
ROWS = """number,at,card,amount
1,2025-01-01T10:00:00Z,007,12.50
2,2025-01-02T10:00:00Z,007,
3,2025-01-03T10:00:00Z,,9.99
4,2025-01-04T10:00:00Z,7,1
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "data") as served:
        declare(served)
        yield served


def declare(address: str) -> None:
    amount = event_pb2.Field(name="amount", type=event_pb2.TYPE_NUMBER)
    schema = event_pb2.Schema(event_types=[event_pb2.EventType(name="order", properties=[amount])])
    with grpc.insecure_channel(address) as channel:
        stub = ingestion_pb2_grpc.IngestionServiceStub(channel)
        stub.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=schema))


def orders(address: str, condition: str) -> int:
    """Returns the number of people for whom the condition is true when all records are visible."""
    with grpc.insecure_channel(address) as channel:
        ingestion = ingestion_pb2_grpc.IngestionServiceStub(channel)
        nothing = ingestion.Ingest(ingestion_pb2.IngestRequest(workspace="shop"))
        as_of = tagging_pb2.AsOf(min_raw_offset=nothing.raw_offset)
        request = tagging_pb2.PreviewRuleRequest(workspace="shop", text=condition, as_of=as_of)
        response = tagging_pb2_grpc.TaggingServiceStub(channel).PreviewRule(request, timeout=PATIENCE)
        return int(response.sets[0].matched)


def command(file: Path, mapping: Path, address: str) -> list[str]:
    run = [sys.executable, "-m", "quanyu", "import", str(file), "--mapping", str(mapping)]
    return [*run, "--workspace", "shop", "--server", address]


def run_import(file: Path, mapping: Path, address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(file, mapping, address), capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "orders.yaml"
    path.write_text(MAPPING)
    return path


def test_rejected_rows_are_listed_and_others_count_once(tmp_path: Path, mapping: Path, address: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ROWS)
    done = run_import(file, mapping, address)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 new, 0 already there, 1 refused" in done.stdout
    assert "row 2" in done.stdout
    again = run_import(file, mapping, address)
    assert "0 new, 3 already there, 1 refused" in again.stdout
    # Card numbers keep leading zeros.
    assert orders(address, "did order ever") == 2
    assert orders(address, "did order exactly 2 times ever") == 1
    assert not list(tmp_path.glob("*.quanyu-progress"))


def test_a_mapping_with_a_missing_column_is_rejected_before_sending(
    tmp_path: Path, mapping: Path, address: str
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ROWS.replace("card", "cart"))
    done = run_import(file, mapping, address)
    assert done.returncode == 1
    assert "no column `card`; did you mean `cart`?" in done.stderr
    assert orders(address, "did order ever") == 0


def test_a_value_of_another_type_stops_with_row_and_column(tmp_path: Path, mapping: Path, address: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ROWS.replace("9.99", "nine"))
    done = run_import(file, mapping, address)
    assert done.returncode == 1
    assert "amount" in done.stderr
    assert "nine" in done.stderr


def many(folder: Path, count: int) -> Path:
    file = folder / "many.parquet"
    at = pa.array([1_700_000_000 + n for n in range(count)], pa.timestamp("s", tz="UTC"))
    table = pa.table(
        {"number": range(count), "at": at, "card": [f"c{n % 1000}" for n in range(count)], "amount": ["1"] * count}
    )
    pq.write_table(table, file)
    return file


def test_a_killed_import_continues_and_counts_nothing_twice(tmp_path: Path, mapping: Path, address: str) -> None:
    file = many(tmp_path, 400_000)
    progress = file.with_name("many.parquet.quanyu-progress")
    first = subprocess.Popen(command(file, mapping, address), stdout=subprocess.DEVNULL)
    wait_until(lambda: progress.exists() or first.poll() is not None, pause=0.002)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert progress.exists(), "the import was over before it could be killed"
    done = run_import(file, mapping, address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of an earlier run" in done.stdout
    assert not progress.exists()
    assert orders(address, "did order exactly 400 times ever") == 1000


def test_a_server_with_an_empty_folder_receives_all_rows_again(tmp_path: Path, mapping: Path) -> None:
    """Starts a server with another data folder at the same address, without the acknowledged rows."""
    file = many(tmp_path, 5_000)
    Progress.load(file, load_mapping(mapping), "shop").advance(3_000)
    with running(tmp_path / "data") as address:
        declare(address)
        done = run_import(file, mapping, address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert orders(address, "did order exactly 5 times ever") == 1000
