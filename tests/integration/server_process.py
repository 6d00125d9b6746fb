"""Starts and stops `quanyu serve` in subprocesses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from quanyu.api.delivery.v1.delivery_pb2_grpc import DeliveryServiceStub
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.runtime.rpc.channels import open_channel
from tests.waiting import PATIENCE

FLOW = ("ingestion", "identity", "tagging")
# Delivery is last because it needs the addresses of the others.
ALL = (*FLOW, "delivery")


class Quanyu:
    """Subprocesses of `quanyu serve` on one data folder, each on a free port."""

    def __init__(self, data: Path, groups: list[tuple[str, ...]]) -> None:
        self.data = data
        self.workspace = "shop"
        self._groups = groups
        self._processes: list[subprocess.Popen[str]] = []
        self.channels: dict[str, grpc.Channel] = {}

    def start(self) -> None:
        """Starts the processes and replaces the stubs."""
        self.channels.clear()
        addresses: dict[str, str] = {}
        for group in self._groups:
            process = serve(self.data, *group, **addresses)
            self._processes.append(process)
            address = address_of(process)
            addresses |= {f"QUANYU_{service.upper()}_ADDRESS": address for service in group}
            self.channels |= dict.fromkeys(group, open_channel(address))
        self.ingestion = IngestionServiceStub(self.channels["ingestion"])
        self.identity = IdentityServiceStub(self.channels["identity"])
        self.tagging = TaggingServiceStub(self.channels["tagging"])
        if "delivery" in self.channels:
            self.delivery = DeliveryServiceStub(self.channels["delivery"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Sends the signal to all processes at once. Asserts that a graceful stop succeeds."""
        for channel in self.channels.values():
            channel.close()
        for process in self._processes:
            process.send_signal(number)
        ended = [stopped(process) for process in self._processes]
        self._processes.clear()
        if number == signal.SIGTERM:
            assert [code for code, _ in ended] == [0] * len(ended), ended

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.stop(number)
        self.start()


@contextmanager
def running(data: Path, groups: list[tuple[str, ...]]) -> Iterator[Quanyu]:
    quanyu = Quanyu(data, groups)
    try:
        quanyu.start()
        yield quanyu
    finally:
        quanyu.stop(signal.SIGKILL)


def stopped(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Waits for a process, or kills it after PATIENCE; returns its exit code and standard error."""
    try:
        _, error = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, error = process.communicate()
    return process.returncode, error


def serve(data: Path, *services: str, port: int = 0, **environment: str) -> subprocess.Popen[str]:
    chosen = [word for service in services for word in ("--service", service)]
    command = [sys.executable, "-m", "quanyu", "serve", *chosen, "--data", str(data), "--port", str(port)]
    # A process starts three times as fast with its bytecode files.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=inherited | environment
    )


def address_of(process: subprocess.Popen[str]) -> str:
    """Returns the address in the line that the server prints when it is ready."""
    assert process.stdout
    assert process.stderr
    line = process.stdout.readline()
    if " on " not in line:
        raise AssertionError(f"the server did not start: {line}{process.stderr.read()}")
    return line.partition(" on ")[2].split()[0]


def refusal(data: Path, *services: str, port: int = 0, **environment: str) -> str:
    """Returns the message of `quanyu serve` when it does not start. Asserts that there is no traceback."""
    process = serve(data, *(services or FLOW), port=port, **environment)
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, out
    assert "Traceback" not in error
    return error


def reason(error: grpc.RpcError) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Returns the status code, and the reason and metadata of the ErrorInfo."""
    status = rpc_status.from_call(error)
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return error.code(), info.reason, dict(info.metadata)
