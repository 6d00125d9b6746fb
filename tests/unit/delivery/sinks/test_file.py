"""Output files depend only on their messages, and appear atomically."""

import csv
import hashlib
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quanyu.delivery.sinks import Outgoing, Run, SinkFailedError
from quanyu.delivery.sinks.file import FileSink

RUN = Run("recall", "lapsed@1", 1, 2, has_coupon=True, has_content=True)
AWKWARD = ["plain", "", 'quote " inside', "comma, inside", "two\nlines", "召回", "=1+1", "trailing\r"]


def messages(first: int, count: int) -> list[Outgoing]:
    return [
        Outgoing(f"{person:032x}", person, f"card{person}", f"C{person}", AWKWARD[person % len(AWKWARD)])
        for person in range(first, first + count)
    ]


def deliver(folder: Path, kind: str, shards: list[list[Outgoing]]) -> tuple[Path, str]:
    sink = FileSink(folder, kind, RUN)
    for number, shard in enumerate(shards):
        outcomes = sink.send(number, shard)
        assert [outcome.state for outcome in outcomes] == ["accepted"] * len(shard)
    (finished,) = sink.finish()
    assert finished.rows == sum(map(len, shards))
    assert finished.sha256 == hashlib.sha256(finished.path.read_bytes()).digest()
    return finished.path, finished.sha256.hex()


def rows_of(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        return [{key: str(value) for key, value in row.items()} for row in pq.read_table(path).to_pylist()]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_contains_each_message_in_order(tmp_path: Path, kind: str) -> None:
    shards = [messages(1, 50), messages(51, 30)]
    path, digest = deliver(tmp_path / "a", kind, shards)
    expected = [
        {
            "message_id": message.key,
            "person": str(message.person),
            "identifier": message.identifier,
            "coupon": message.coupon,
            "content": message.content,
        }
        for shard in shards
        for message in shard
    ]
    assert rows_of(path) == expected
    manifest = json.loads((path.parent / "manifest.json").read_text())
    assert manifest["file"] == {"name": path.name, "rows": 80, "sha256": digest}
    assert [part["rows"] for part in manifest["parts"]] == [50, 30]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["manifest.json", path.name]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_bytes_do_not_depend_on_retries_or_the_order_of_shards(tmp_path: Path, kind: str) -> None:
    shards = [messages(1, 50), messages(51, 30)]
    straight = deliver(tmp_path / "a", kind, shards)[0].read_bytes()
    sink = FileSink(tmp_path / "b", kind, RUN)
    sink.send(1, shards[1])
    sink.send(0, shards[0])
    (tmp_path / "b" / "parts" / ".left-behind").write_bytes(b"torn")
    again = FileSink(tmp_path / "b", kind, RUN)
    again.send(1, shards[1])
    assert again.finish() == again.finish()
    assert (tmp_path / "b" / f"recall.{kind}").read_bytes() == straight


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_empty_audience_yields_a_file_without_rows(tmp_path: Path, kind: str) -> None:
    path, _ = deliver(tmp_path, kind, [])
    assert rows_of(path) == []


def test_columns_without_values_are_left_out(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, "csv", Run("recall", "s@1", 1, 2, has_coupon=False, has_content=False))
    sink.send(0, messages(1, 1))
    sink.finish()
    assert (tmp_path / "recall.csv").read_text().splitlines()[0] == '"message_id","person","identifier"'


def test_an_unwritable_path_is_reported(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file where a folder should be")
    with pytest.raises(SinkFailedError, match=r"cannot write .*parts"):
        FileSink(tmp_path, "csv", RUN).send(0, messages(1, 1))
    assert os.listdir(tmp_path) == ["parts"]
