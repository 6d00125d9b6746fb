"""Services open in the order of the data flow, and close so that no frame is lost."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from quanyu.engine import CorruptError
from quanyu.runtime.errors import DataLoss, FailedPrecondition
from quanyu.runtime.process import Process
from quanyu.runtime.rpc.channels import open_channel
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.settings import Settings

HEALTH = health_pb2.HealthCheckRequest()


class RecordedService:
    """A service without calls that records the calls of its methods."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.name = name
        self._calls = calls
        calls.append(f"open {name}")

    def register(self, server: grpc.Server) -> None:
        self._calls.append(f"register {self.name}")

    def start(self) -> None:
        self._calls.append(f"start {self.name}")

    def stop(self) -> None:
        self._calls.append(f"stop {self.name}")

    def close(self) -> None:
        self._calls.append(f"close {self.name}")


def damaged(context: ServiceContext) -> RecordedService:
    raise CorruptError("segment 3: damaged")


def test_a_process_runs_its_services_in_order(tmp_path: Path) -> None:
    calls: list[str] = []
    openers = {name: lambda context, name=name: RecordedService(name, calls) for name in ("ingestion", "identity")}
    process = Process(Settings(data=tmp_path, port=0), openers)
    with open_channel(process.address) as channel:
        process.start()
        status = health_pb2_grpc.HealthStub(channel).Check(HEALTH, timeout=10, wait_for_ready=True).status
        assert status == health_pb2.HealthCheckResponse.SERVING
        process.stop()
        with pytest.raises(grpc.RpcError):
            health_pb2_grpc.HealthStub(channel).Check(HEALTH, timeout=10)
    assert calls == [
        "open ingestion",
        "register ingestion",
        "open identity",
        "register identity",
        "start ingestion",
        "start identity",
        "stop identity",
        "stop ingestion",
        "close ingestion",
        "close identity",
    ]


def test_a_service_that_cannot_open_leaves_nothing_open(tmp_path: Path) -> None:
    calls: list[str] = []
    settings = Settings(data=tmp_path, port=0)
    with pytest.raises(DataLoss, match="segment 3"):
        Process(settings, {"ingestion": lambda context: RecordedService("ingestion", calls), "identity": damaged})
    assert calls == ["open ingestion", "register ingestion", "close ingestion"]
    # The data folder is free again.
    Process(settings, {"ingestion": lambda context: RecordedService("ingestion", calls)}).stop()


def test_two_processes_cannot_run_one_service_on_one_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=0)
    first = Process(settings, {"tagging": lambda context: RecordedService("tagging", [])})
    with pytest.raises(FailedPrecondition, match="tagging service"):
        Process(settings, {"tagging": lambda context: RecordedService("tagging", [])})
    first.stop()
