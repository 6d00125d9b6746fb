"""Erased people leave the logs, and the resolver then forgets their identifiers."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.identity import redaction as redaction_module
from quanyu.runtime.rpc.channels import open_channel
from tests.integration.shop import batch, order
from tests.unit.local_server import WORKSPACE, serve_shop
from tests.waiting import wait_until

SECRET = "secret-card-4711"


def files_with(folder: Path, text: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.log") if text.encode() in path.read_bytes())


def erase(channel: grpc.Channel) -> None:
    request = pb.EraseRequest(
        workspace=WORKSPACE,
        identifier=event_pb2.Identifier(namespace="card", value=SECRET),
        by="zoe",
        why="requested",
        idempotency_key="e1",
    )
    IdentityServiceStub(channel).Erase(request)


@pytest.mark.parametrize("frames", [1, redaction_module.FRAMES], ids=["frame by frame", "in chunks"])
def test_no_log_contains_an_erased_identifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    monkeypatch.setattr(redaction_module, "FRAMES", frames)
    with serve_shop(tmp_path) as server, open_channel(server.address) as channel:
        ingestion = IngestionServiceStub(channel)
        for number in range(5):
            ingestion.Ingest(batch(WORKSPACE, order(f"s{number}", f"card:{SECRET}", 1)))
        rejected = event_pb2.Record(event=order("bad", f"card:{SECRET}", 1).event)
        rejected.event.type = "undeclared"
        ingestion.Ingest(batch(WORKSPACE, rejected))
        logs = tmp_path / WORKSPACE / "log"
        wait_until(lambda: len(files_with(logs, SECRET)) == 3)
        erase(channel)
        wait_until(lambda: not files_with(logs, SECRET))
        survivor = pb.ResolveRequest(workspace=WORKSPACE, identifier=event_pb2.Identifier(namespace="card", value="c3"))
        assert IdentityServiceStub(channel).Resolve(survivor).person > 0
