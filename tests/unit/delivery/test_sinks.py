"""Sinks on their own: addresses, Retry-After, and files that do not hang on how they came about."""

import csv
import hashlib
import ipaddress
import json
import os
from email.utils import formatdate
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.delivery.sinks import Outgoing, Run, SinkFailedError
from quanyu.delivery.sinks.addresses import PrivateAddressError, is_public, resolve
from quanyu.delivery.sinks.file import FileSink
from quanyu.delivery.sinks.webhook import retry_after

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
def test_files_hold_every_message_in_order(tmp_path: Path, kind: str) -> None:
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
def test_bytes_do_not_hang_on_how_they_came_about(tmp_path: Path, kind: str) -> None:
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
def test_nobody_is_a_file_with_no_rows(tmp_path: Path, kind: str) -> None:
    path, _ = deliver(tmp_path, kind, [])
    assert rows_of(path) == []


def test_only_columns_that_the_campaign_has(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, "csv", Run("recall", "s@1", 1, 2, has_coupon=False, has_content=False))
    sink.send(0, messages(1, 1))
    sink.finish()
    assert (tmp_path / "recall.csv").read_text().splitlines()[0] == '"message_id","person","identifier"'


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file where a folder should be")
    with pytest.raises(SinkFailedError, match=r"cannot write .*parts"):
        FileSink(tmp_path, "csv", RUN).send(0, messages(1, 1))
    assert os.listdir(tmp_path) == ["parts"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_names_are_judged_by_what_they_resolve_to() -> None:
    with pytest.raises(PrivateAddressError, match="localhost resolves to"):
        resolve("localhost", 80, allow_private=False)
    assert ipaddress.ip_address(resolve("localhost", 80, allow_private=True)).is_loopback
    # Other ways to write 127.0.0.1 that some resolvers understand.
    for name in ("2130706433", "0x7f.1", "127.1"):
        with pytest.raises((PrivateAddressError, OSError)):
            resolve(name, 80, allow_private=False)


@given(st.integers(0, 10**9), st.floats(0, 2e9))
def test_retry_after_seconds_and_dates(seconds: int, now: float) -> None:
    assert retry_after(str(seconds), now) == min(seconds, 86_400)
    asked = retry_after(formatdate(now + 100, usegmt=True), now)
    assert asked == pytest.approx(100, abs=1)


@pytest.mark.parametrize("value", ["soon", "-1", "", "1.5", "Mon, 99 Foo 2020", "²"])
def test_retry_after_that_makes_no_sense_is_none(value: str) -> None:
    assert retry_after(value, 0.0) is None


def test_retry_after_in_the_past_is_now() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 2e9) == 0
    assert retry_after(None, 0.0) is None
