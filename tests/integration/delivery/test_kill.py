"""Kills delivery with SIGKILL: receivers accept each message once and files equal those of an undisturbed run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from tests.integration.delivery.conftest import WORKSPACE, DeliveryProcess, Receiver
from tests.integration.delivery.peer_services import PeerServices
from tests.waiting import wait_until

# The maximum number of messages in progress when the process dies: one batch of the webhook sink.
IN_FLIGHT = 128


@pytest.fixture
def delivery(tmp_path: Path, peers: PeerServices) -> Iterator[DeliveryProcess]:
    """Returns a new process, which the test kills."""
    delivery = DeliveryProcess(tmp_path / "data", peers)
    yield delivery
    delivery.stop()


def test_each_webhook_is_accepted_once_after_kills(
    delivery: DeliveryProcess, peers: PeerServices, receive: Callable[..., Receiver]
) -> None:
    members = list(range(1, 1501))
    peers.segments["lapsed"] = members
    peers.identifiers["card"] = {person: f"card-{person}" for person in members}
    receiver = receive(delay=0.02, script={"card-700": [500], "card-900": [404]})
    delivery.put_webhook(receiver.url)
    delivery.run(pb.Campaign(name="recall", segment="lapsed", channel="hook", holdout_basis_points=1000))
    kills = 0
    for enough in (150, 600, 1000):
        wait_until(lambda enough=enough: len({line.id for line in receiver.accepted()}) >= enough)
        delivery.kill()
        kills += 1
        before = {line.id for line in receiver.accepted()}
        delivery.start()
        wait_until(lambda before=before: {line.id for line in receiver.accepted()} > before)
    done = delivery.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    eligible = done.waterfall[-1].count
    assert 0 < eligible < 1500
    # Accepted = eligible = ledger, as a receiver counts that recognises repetitions by id.
    effects = {line.id: line.data["person"] for line in receiver.accepted()}
    dead = done.messages.get("dead", 0)
    assert len(effects) == len(set(effects.values())) == done.messages["accepted"] == eligible - dead
    assert dead == sum(line.status == 404 for line in receiver.journal()) <= 1
    repeated = sum(count - 1 for count in Counter(line.id for line in receiver.accepted()).values())
    assert repeated <= kills * IN_FLIGHT


FORMATS = {"csv": pb.FileSink.FORMAT_CSV, "parquet": pb.FileSink.FORMAT_PARQUET}


@pytest.mark.parametrize("kind", FORMATS)
def test_files_after_kills_equal_those_of_an_undisturbed_run(tmp_path: Path, peers: PeerServices, kind: str) -> None:
    members = list(range(1, 30_001))
    peers.segments["lapsed"] = members
    peers.identifiers["card"] = {person: f"card-{person}" for person in members}
    undisturbed = run_campaign(tmp_path / "undisturbed", peers, kind, [])
    folder = tmp_path / "killed" / WORKSPACE / "delivered" / "recall"
    conditions: list[Callable[[], bool]] = [
        lambda: len(list((folder / "parts").glob("0*"))) >= 1,
        lambda: len(list((folder / "parts").glob("0*"))) == 4,
    ]
    killed = run_campaign(tmp_path / "killed", peers, kind, conditions)
    assert killed.waterfall == undisturbed.waterfall
    assert killed.messages == undisturbed.messages == {"accepted": undisturbed.waterfall[-1].count}
    assert killed.files == undisturbed.files


class DeliveredFiles:
    def __init__(self, report: pb.ReportCampaignResponse, folder: Path) -> None:
        self.waterfall = list(report.status.waterfall)
        self.messages = dict(report.status.messages)
        self.files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run_campaign(data: Path, peers: PeerServices, kind: str, conditions: list[Callable[[], bool]]) -> DeliveredFiles:
    """Runs a campaign with a file of a format and kills the process when each of the conditions becomes true."""
    delivery = DeliveryProcess(data, peers)
    try:
        delivery.put_file_channel(format=FORMATS[kind])
        delivery.run(
            pb.Campaign(
                name="recall", segment="lapsed", channel="letters", holdout_basis_points=1000, coupon_prefix="C-"
            )
        )
        for moment in conditions:
            wait_until(moment)
            delivery.kill()
            delivery.start()
        done = delivery.watch("recall")
        assert done.state == pb.CampaignStatus.STATE_DONE, done
        return DeliveredFiles(delivery.report("recall"), data / WORKSPACE / "delivered" / "recall")
    finally:
        delivery.stop()
