"""Runs all four services in a process of their own, on a free port, as long as the demo needs them."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from quanyu.runtime.errors import FailedPrecondition, Unavailable
from quanyu.runtime.rpc.channels import open_channel

# File in a data folder that a demo made, which the next demo may empty.
MARK = "DEMO"
_START_SECONDS = 60
_STOP_SECONDS = 60


@contextmanager
def serve_demo(data: Path) -> Iterator[str]:
    """Yields the address of `quanyu serve` on a new data folder, and stops it gracefully at the end.

    Raises FailedPrecondition if the folder holds anything but an earlier demo's data, and Unavailable with the output
    of the server if it does not start.
    """
    _empty_folder(data)
    with running(data) as address:
        (data / MARK).write_text("Made by `quanyu demo`, which empties this folder when it runs again.\n")
        yield address


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Yields the address of `quanyu serve` on an existing data folder, and stops it gracefully at the end."""
    address = f"127.0.0.1:{_free_port()}"
    with tempfile.TemporaryFile() as output, _process(data, address, output) as server:
        _wait_until_healthy(server, address, output)
        yield address


def peak_memory_mb() -> float:
    """Returns the peak resident memory of this process plus that of the largest child that has ended."""
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(peaks) * unit / 2**20


def _empty_folder(data: Path) -> None:
    if (data / MARK).exists():
        shutil.rmtree(data)
    elif data.exists() and any(data.iterdir()):
        raise FailedPrecondition(
            f"{data} holds something other than an earlier demo; choose an empty or new folder with --data",
            reason="DATA_FOLDER_NOT_EMPTY",
        )


@contextmanager
def _process(data: Path, address: str, output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    host, _, port = address.rpartition(":")
    command = [sys.executable, "-m", "quanyu", "serve", "--data", str(data), "--host", host, "--port", port]
    # The demo ignores the settings of this machine, so that it runs the same everywhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUANYU_")}
    server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, output: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with open_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        while time.monotonic() < deadline and server.poll() is None:
            try:
                if (
                    health.Check(health_pb2.HealthCheckRequest(), timeout=1).status
                    == health_pb2.HealthCheckResponse.SERVING
                ):
                    return
            except grpc.RpcError:
                pass
            time.sleep(0.1)
    output.seek(0)
    said = output.read().decode(errors="replace").strip()[-2000:]
    raise Unavailable(f"`quanyu serve` did not start; it said:\n{said or '(nothing)'}", reason="SERVER_NOT_STARTED")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
