"""On a full disk, the server rejects writes with advice, loses no acknowledged record and continues with free space."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.runtime.workspaces import LOOK_SECONDS
from tests.integration.server_process import FLOW, Quanyu, reason, refusal, running
from tests.integration.shop import SCHEMA, batch, order
from tests.waiting import PATIENCE

FULL = (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


def rejection(call: Callable[..., object], request: object) -> tuple[grpc.StatusCode, str] | None:
    """Returns the reason of the rejection, or None."""
    try:
        call(request)
    except grpc.RpcError as error:
        return reason(error)[:2]
    return None


def test_a_full_disk_at_start_is_reported(disk: Path) -> None:
    fill(disk)
    assert "the disk is full; free some space" in refusal(disk / "data")


def test_a_disk_that_fills_up_loses_no_acknowledged_record(disk: Path) -> None:
    with running(disk / "data", [FLOW]) as quanyu:
        for workspace in ("shop", "late"):
            quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=workspace, schema=SCHEMA))
        ballast = fill(disk)
        tries = [str(n) for n in range(200)]
        outcomes = {key: rejection(quanyu.ingestion.Ingest, batch("shop", order(key, "card:ann", 1))) for key in tries}
        lost = [key for key, outcome in outcomes.items() if outcome is not None]
        assert {outcomes[key] for key in lost} == {FULL}
        new = ingestion_pb2.PutSchemaRequest(workspace="new", schema=SCHEMA)
        assert rejection(quanyu.ingestion.PutSchema, new) == FULL
        # Other services look for new workspaces and cannot open this one.
        time.sleep(3 * LOOK_SECONDS)
        ballast.unlink()
        for workspace in ("shop", "late", "new"):
            quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=workspace, schema=SCHEMA))
            sent = quanyu.ingestion.Ingest(batch(workspace, *(order(key, "card:ann", 1) for key in tries)))
            kept = len(tries) - len(lost) if workspace == "shop" else 0
            assert (sent.duplicates, sent.accepted) == (kept, len(tries) - kept)
            assert buyers(quanyu, workspace, len(tries), sent.raw_offset) == 1
        quanyu.restart()
        assert buyers(quanyu, "shop", len(tries), 0) == 1


def buyers(quanyu: Quanyu, workspace: str, times: int, offset: int) -> int:
    """Returns the number of people with exactly this number of orders."""
    request = tagging_pb2.PreviewRuleRequest(workspace=workspace, text=f"did order exactly {times} times ever")
    request.as_of.min_raw_offset = offset
    return quanyu.tagging.PreviewRule(request, timeout=PATIENCE).sets[0].matched
