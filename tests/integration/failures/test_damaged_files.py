"""The server names a damaged, truncated or missing file at start, with a repair that works; it skips no data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import FLOW, Quanyu, refusal, running
from tests.integration.shop import SCHEMA, batch, order
from tests.waiting import PATIENCE

ORDERS = 40
RAW = "shop/log/raw/0/00000000000000000000.log"
RESOLVED = "shop/log/resolved/0/00000000000000000000.log"
REJECTS = "shop/log/rejects/0/00000000000000000000.log"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the data folder of a stopped server, with snapshots."""
    data = tmp_path_factory.mktemp("damaged") / "data"
    with running(data, [FLOW]) as quanyu:
        quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=SCHEMA))
        quanyu.ingestion.Ingest(batch("shop", order("", "card:ann", 1)))
        for n in range(ORDERS):
            offset = quanyu.ingestion.Ingest(batch("shop", order(str(n), f"card:c{n}", 1))).raw_offset
        publish = tagging_pb2.PublishRuleRequest(workspace="shop", text="segment buyers: did order ever")
        publish.min_raw_offset = offset
        quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
        quanyu.stop()
    return data


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "data"))


def flip_byte(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 0xFF
    path.write_bytes(contents)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def assert_complete(quanyu: Quanyu) -> None:
    sent = quanyu.ingestion.Ingest(batch("shop", *(order(str(n), f"card:c{n}", 1) for n in range(ORDERS))))
    assert (sent.duplicates, sent.accepted) == (ORDERS, 0)
    request = tagging_pb2.PreviewRuleRequest(workspace="shop", text="in segment buyers")
    request.as_of.min_raw_offset = sent.raw_offset
    assert quanyu.tagging.PreviewRule(request, timeout=PATIENCE).sets[0].matched == ORDERS


@pytest.mark.parametrize(
    ("file", "damage", "advice"),
    [
        (RAW, flip_byte, "put a backup"),
        (RAW, truncate, "put a backup"),
        (RAW, Path.unlink, "put a backup"),
        (REJECTS, truncate, "or remove it"),
        ("quanyu.db", truncate, "put a backup"),
        ("VERSION", lambda path: path.write_bytes(b"\xff"), "put a backup"),
    ],
)
def test_a_damaged_source_file_needs_a_backup_and_stays_unchanged(
    data: Path, file: str, damage: Callable[[Path], object], advice: str
) -> None:
    damage(data / file)
    left = (data / file).read_bytes() if (data / file).exists() else None
    said = refusal(data)
    assert file.rpartition("/")[2] in said
    assert advice in said
    assert ((data / file).read_bytes() if (data / file).exists() else None) == left


@pytest.mark.parametrize(
    ("pattern", "damage", "advice", "removed"),
    [
        (RESOLVED, flip_byte, "rebuilt from the raw log", ("shop/log/resolved", "shop/state/identity")),
        (RESOLVED, truncate, "rebuilt from the raw log", ("shop/log/resolved", "shop/state/identity")),
        ("shop/state/identity/*.identity", flip_byte, "remove it", ("shop/state/identity",)),
        ("shop/state/tagging/manifest", truncate, "remove the folder", ("shop/state/tagging",)),
        ("shop/state/tagging/partition-1-*", flip_byte, "remove the folder", ("shop/state/tagging",)),
    ],
)
def test_a_damaged_derived_file_is_rebuilt_as_the_message_says(
    data: Path, pattern: str, damage: Callable[[Path], object], advice: str, removed: tuple[str, ...]
) -> None:
    (path,) = data.glob(pattern)
    damage(path)
    said = refusal(data)
    assert str(path) in said
    assert advice in said
    for folder in removed:
        shutil.rmtree(data / folder)
    with running(data, [FLOW]) as quanyu:
        assert_complete(quanyu)


def test_a_raw_log_that_lost_acknowledged_frames_stays_unchanged(data: Path) -> None:
    shutil.rmtree(data / "shop/log/raw/0")
    (data / "shop/log/raw/0").mkdir()
    assert f"but {ORDERS + 1} were acknowledged; put a backup" in refusal(data)


def test_a_missing_database_is_reported(data: Path) -> None:
    for file in data.glob("quanyu.db*"):
        file.unlink()
    said = refusal(data)
    assert str(data / "quanyu.db") in said
    assert "put a backup in its place" in said
    assert not (data / "quanyu.db").exists()
