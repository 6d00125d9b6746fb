"""Decisions and replaced frames go to the ingestion service; the channel opens on the first call."""

from __future__ import annotations

import pytest

from quanyu.api.event.v1 import log_pb2
from quanyu.engine import LocalLog
from quanyu.identity.ingestion_client import IngestionClient
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.storage.data_folder import DataFolder
from tests.unit.local_server import WORKSPACE, LocalServer

DECISION = log_pb2.Decision(erase=log_pb2.Erase(person=1 << 40), by="zoe", why="test", idempotency_key="client")


def raw_log(shop: LocalServer) -> LocalLog:
    return LocalLog.follow(str(DataFolder.existing(shop.folder).log(WORKSPACE, "raw")))


def test_record_returns_the_offset_after_the_durable_decision(shop: LocalServer) -> None:
    with open_channel(shop.address) as channel:
        offset = IngestionClient(lambda: channel).record(WORKSPACE, DECISION)
    ((_, frame),) = raw_log(shop).read(offset - 1, 1)
    assert log_pb2.RawFrame.FromString(frame).decision == DECISION


def test_replace_raw_replaces_frames_in_place(shop: LocalServer) -> None:
    ((offset, frame),) = raw_log(shop).read(1, 1)
    changed = log_pb2.RawFrame.FromString(frame)
    changed.received_at_ms += 1
    with open_channel(shop.address) as channel:
        IngestionClient(lambda: channel).replace_raw(WORKSPACE, [(offset, changed.SerializeToString())])
    assert raw_log(shop).read(1, 1) == [(offset, changed.SerializeToString())]


def test_errors_are_those_of_ingestion(shop: LocalServer) -> None:
    with open_channel(shop.address) as channel:
        client = IngestionClient(lambda: channel)
        with pytest.raises(NotFound):
            client.record("nowhere", DECISION)
        with pytest.raises(InvalidInput, match="idempotency_key"):
            client.record(WORKSPACE, log_pb2.Decision(erase=log_pb2.Erase(person=1)))


def test_no_channel_is_opened_before_the_first_call() -> None:
    def fail() -> None:
        raise AssertionError("opened")

    IngestionClient(fail)  # type: ignore[arg-type]
