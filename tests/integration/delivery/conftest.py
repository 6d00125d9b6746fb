"""A delivery process, its peer services and a webhook receiver."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from quanyu.api.delivery.v1.delivery_pb2_grpc import DeliveryServiceStub
from quanyu.runtime.rpc.channels import open_channel
from tests.integration.delivery.peer_services import PeerServices
from tests.integration.server_process import address_of, serve
from tests.waiting import PATIENCE

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WORKSPACE = "shop"


class DeliveryProcess:
    """A subprocess of `quanyu serve --service delivery` and its stub."""

    def __init__(self, data: Path, peers: PeerServices) -> None:
        self.data = data
        self.workspace = WORKSPACE
        self._addresses = {"QUANYU_TAGGING_ADDRESS": peers.address, "QUANYU_IDENTITY_ADDRESS": peers.address}
        self.start()

    def start(self) -> None:
        self._process = serve(self.data, "delivery", **self._addresses)
        self._channel = open_channel(address_of(self._process))
        grpc.channel_ready_future(self._channel).result(timeout=PATIENCE)
        self.stub = DeliveryServiceStub(self._channel)

    def kill(self) -> None:
        """Kills the process with SIGKILL."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._close_pipes()

    def stop(self) -> None:
        self._channel.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()

    def run(self, campaign: pb.Campaign) -> pb.CampaignStatus:
        """Creates, plans and starts a campaign."""
        self.stub.CreateCampaign(pb.CreateCampaignRequest(workspace=self.workspace, campaign=campaign))
        self.stub.PlanCampaign(pb.PlanCampaignRequest(workspace=self.workspace, name=campaign.name))
        started = self.stub.StartCampaign(pb.StartCampaignRequest(workspace=self.workspace, name=campaign.name))
        return started.status

    def recall_fields(self) -> dict[str, str]:
        """Returns the fields that identify the campaign `recall` in requests."""
        return {"workspace": self.workspace, "name": "recall"}

    def watch(self, name: str, timeout: float = 120) -> pb.CampaignStatus:
        """Waits until the campaign ends; returns its last status."""
        status = None
        for answer in self.stub.WatchCampaign(
            pb.WatchCampaignRequest(workspace=self.workspace, name=name), timeout=timeout
        ):
            status = answer.status
        assert status is not None
        return status

    def report(self, name: str) -> pb.ReportCampaignResponse:
        return self.stub.ReportCampaign(pb.ReportCampaignRequest(workspace=self.workspace, name=name))

    def put_file_channel(self, name: str = "letters", format: int = pb.FileSink.FORMAT_CSV) -> None:
        channel = pb.Channel(name=name, namespace="card", file=pb.FileSink(format=format))
        self.stub.PutChannel(pb.PutChannelRequest(workspace=self.workspace, channel=channel))

    def put_webhook(self, url: str, name: str = "hook", allow: bool = True) -> None:
        sink = pb.WebhookSink(url=url, secret=SECRET, allow_private_address=allow)
        channel = pb.Channel(name=name, namespace="card", webhook=sink)
        self.stub.PutChannel(pb.PutChannelRequest(workspace=self.workspace, channel=channel))


@dataclass
class JournalLine:
    """A request that the receiver answered."""

    status: int
    id: str
    at_ms: int
    data: dict[str, Any]


class Receiver:
    """The process of `receiver.py` and its journal."""

    def __init__(self, folder: Path, delay: float, script: dict[str, list[Any]]) -> None:
        self._journal = folder / "journal"
        self._journal.touch()
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("receiver.py")),
                SECRET,
                str(self._journal),
                str(delay),
                json.dumps(script),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/hook"

    def journal(self) -> list[JournalLine]:
        lines = []
        # The text after the last line end is not complete yet.
        for line in self._journal.read_text(encoding="utf-8").split("\n")[:-1]:
            status, key, at_ms, body = line.split(" ", 3)
            lines.append(JournalLine(int(status), key, int(at_ms), json.loads(body)["data"]))
        return lines

    def accepted(self) -> list[JournalLine]:
        return [line for line in self.journal() if line.status == 200]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def shared_peers() -> Iterator[PeerServices]:
    peers = PeerServices()
    yield peers
    peers.close()


@pytest.fixture
def peers(shared_peers: PeerServices) -> PeerServices:
    shared_peers.clear()
    return shared_peers


@pytest.fixture(scope="session")
def shared_delivery(tmp_path_factory: pytest.TempPathFactory, shared_peers: PeerServices) -> Iterator[DeliveryProcess]:
    delivery = DeliveryProcess(tmp_path_factory.mktemp("delivery") / "data", shared_peers)
    yield delivery
    delivery.stop()


@pytest.fixture
def delivery(shared_delivery: DeliveryProcess, peers: PeerServices, request: pytest.FixtureRequest) -> DeliveryProcess:
    """Returns the shared process with a new workspace for the test."""
    shared_delivery.workspace = f"w{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    return shared_delivery


@pytest.fixture
def receive(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(*, delay: float = 0.0, script: dict[str, list[Any]] | None = None) -> Receiver:
        made.append(Receiver(tmp_path, delay, script or {}))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()
