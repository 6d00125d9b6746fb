"""A damaged, cut or missing file is named at start with what to do, and what is advised works; nothing is skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.running import FLOW, Quanyu, refusal, running
from tests.integration.world import SCHEMA, batch, order
from tests.waiting import PATIENCE

ORDERS = 40
RAW = "shop/log/raw/0/00000000000000000000.log"
RESOLVED = "shop/log/resolved/0/00000000000000000000.log"
REJECTS = "shop/log/rejects/0/00000000000000000000.log"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that a server left behind, with a snapshot of everything."""
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


def flip(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 0xFF
    path.write_bytes(contents)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def everything_is_there(quanyu: Quanyu) -> None:
    sent = quanyu.ingestion.Ingest(batch("shop", *(order(str(n), f"card:c{n}", 1) for n in range(ORDERS))))
    assert (sent.duplicates, sent.accepted) == (ORDERS, 0)
    request = tagging_pb2.PreviewRuleRequest(workspace="shop", text="in segment buyers")
    request.as_of.min_raw_offset = sent.raw_offset
    assert quanyu.tagging.PreviewRule(request, timeout=PATIENCE).sets[0].matched == ORDERS


@pytest.mark.parametrize(
    ("file", "damage", "advice"),
    [
        (RAW, flip, "put a backup"),
        (RAW, cut, "put a backup"),
        (RAW, Path.unlink, "put a backup"),
        (REJECTS, cut, "or remove it"),
        ("quanyu.db", cut, "put a backup"),
        ("VERSION", lambda path: path.write_bytes(b"\xff"), "put a backup"),
    ],
)
def test_what_only_a_backup_mends_is_left_as_it_is(
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
        (RESOLVED, flip, "rebuilt from the raw log", ("shop/log/resolved", "shop/state/identity")),
        (RESOLVED, cut, "rebuilt from the raw log", ("shop/log/resolved", "shop/state/identity")),
        ("shop/state/identity/*.identity", flip, "remove it", ("shop/state/identity",)),
        ("shop/state/tagging/manifest", cut, "remove the folder", ("shop/state/tagging",)),
        ("shop/state/tagging/partition-1-*", flip, "remove the folder", ("shop/state/tagging",)),
    ],
)
def test_what_is_derived_is_made_anew_as_advised(
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
        everything_is_there(quanyu)


def test_a_raw_log_without_frames_that_were_acknowledged_is_not_written_to(data: Path) -> None:
    shutil.rmtree(data / "shop/log/raw/0")
    (data / "shop/log/raw/0").mkdir()
    assert f"but {ORDERS + 1} were acknowledged; put a backup" in refusal(data)


def test_a_database_that_is_gone_is_missed(data: Path) -> None:
    for file in data.glob("quanyu.db*"):
        file.unlink()
    said = refusal(data)
    assert str(data / "quanyu.db") in said
    assert "put a backup in its place" in said
    assert not (data / "quanyu.db").exists()
