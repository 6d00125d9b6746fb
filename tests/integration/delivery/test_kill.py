"""kill -9 during delivery: every message has one effect, and files have the bytes of an undisturbed run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from tests.integration.delivery.conftest import WORKSPACE, Receiver, Serving
from tests.integration.delivery.peers import Peers
from tests.waiting import wait_until

# Most messages that are under way when the process dies: one batch of the webhook sink.
IN_FLIGHT = 128


@pytest.fixture
def serving(tmp_path: Path, peers: Peers) -> Iterator[Serving]:
    """A process of its own, to be killed."""
    serving = Serving(tmp_path / "data", peers)
    yield serving
    serving.stop()


def test_webhooks_survive_kills(serving: Serving, peers: Peers, receive: Callable[..., Receiver]) -> None:
    members = list(range(1, 1501))
    peers.segments["lapsed"] = members
    peers.identifiers["card"] = {person: f"card-{person}" for person in members}
    receiver = receive(delay=0.02, script={"card-700": [500], "card-900": [404]})
    serving.put_webhook(receiver.url)
    serving.run(pb.Campaign(name="recall", segment="lapsed", channel="hook", holdout_basis_points=1000))
    kills = 0
    for enough in (150, 600, 1000):
        wait_until(lambda enough=enough: len({line.id for line in receiver.effects()}) >= enough)
        serving.kill()
        kills += 1
        before = {line.id for line in receiver.effects()}
        serving.begin()
        wait_until(lambda before=before: {line.id for line in receiver.effects()} > before)
    done = serving.watch("recall")
    assert done.state == pb.CampaignStatus.STATE_DONE, done
    eligible = done.waterfall[-1].count
    assert 0 < eligible < 1500
    # Effects = eligible = ledger, as a receiver sees them that knows a repetition by its id.
    effects = {line.id: line.data["person"] for line in receiver.effects()}
    dead = done.messages.get("dead", 0)
    assert len(effects) == len(set(effects.values())) == done.messages["accepted"] == eligible - dead
    assert dead == sum(line.status == 404 for line in receiver.journal()) <= 1
    repeated = sum(count - 1 for count in Counter(line.id for line in receiver.effects()).values())
    assert repeated <= kills * IN_FLIGHT


FORMATS = {"csv": pb.FileSink.FORMAT_CSV, "parquet": pb.FileSink.FORMAT_PARQUET}


@pytest.mark.parametrize("kind", FORMATS)
def test_files_survive_kills(tmp_path: Path, peers: Peers, kind: str) -> None:
    members = list(range(1, 30_001))
    peers.segments["lapsed"] = members
    peers.identifiers["card"] = {person: f"card-{person}" for person in members}
    undisturbed = delivered(tmp_path / "undisturbed", peers, kind, [])
    folder = tmp_path / "killed" / WORKSPACE / "delivered" / "recall"
    moments: list[Callable[[], bool]] = [
        lambda: len(list((folder / "parts").glob("0*"))) >= 1,
        lambda: len(list((folder / "parts").glob("0*"))) == 4,
    ]
    killed = delivered(tmp_path / "killed", peers, kind, moments)
    assert killed.waterfall == undisturbed.waterfall
    assert killed.messages == undisturbed.messages == {"accepted": undisturbed.waterfall[-1].count}
    assert killed.files == undisturbed.files


class Delivered:
    def __init__(self, report: pb.ReportCampaignResponse, folder: Path) -> None:
        self.waterfall = list(report.status.waterfall)
        self.messages = dict(report.status.messages)
        self.files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def delivered(data: Path, peers: Peers, kind: str, moments: list[Callable[[], bool]]) -> Delivered:
    """A campaign of that format, killed at these moments."""
    serving = Serving(data, peers)
    try:
        serving.put_file_channel(format=FORMATS[kind])
        serving.run(
            pb.Campaign(
                name="recall", segment="lapsed", channel="letters", holdout_basis_points=1000, coupon_prefix="C-"
            )
        )
        for moment in moments:
            wait_until(moment)
            serving.kill()
            serving.begin()
        done = serving.watch("recall")
        assert done.state == pb.CampaignStatus.STATE_DONE, done
        return Delivered(serving.report("recall"), data / WORKSPACE / "delivered" / "recall")
    finally:
        serving.stop()
