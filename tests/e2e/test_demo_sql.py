"""Compares the counts and people of the demo with independent SQL over the same files."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from quanyu.api.identity.v1 import identity_pb2, identity_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.cli.demo import catering, complete_journey
from quanyu.cli.demo.client import DemoClient
from quanyu.cli.demo.complete_journey import published_files
from quanyu.cli.demo.server import running
from tests.e2e import catering_sql, complete_journey_sql
from tests.waiting import PATIENCE

PEOPLE = 5_000


@dataclass(frozen=True)
class Demo:
    data: Path
    output: str
    found: dict[str, Any]

    def world(self, name: str) -> dict[str, Any]:
        return self.found["worlds"][name]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    data, report = folder / "data", folder / "demo.json"
    command = [
        sys.executable,
        "-m",
        "quanyu",
        "demo",
        "--people",
        str(PEOPLE),
        "--data",
        str(data),
        "--json",
        str(report),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(data, done.stdout, json.loads(report.read_text()))


@pytest.fixture(scope="module")
def truth(demo: Demo) -> dict[str, dict[str, set[Any]]]:
    return {
        complete_journey.NAME: complete_journey_sql.members(published_files()),
        catering.NAME: catering_sql.members(demo.data / "worlds" / catering.NAME),
    }


@pytest.fixture(scope="module")
def channel(demo: Demo) -> Iterator[grpc.Channel]:
    """Serves the data folder of the finished demo."""
    with running(demo.data) as address, grpc.insecure_channel(address) as opened:
        yield opened


@pytest.mark.parametrize("world", [complete_journey.NAME, catering.NAME])
def test_each_count_equals_sql(demo: Demo, truth: dict[str, dict[str, set[Any]]], world: str) -> None:
    counted = {name: segment["count"] for name, segment in demo.world(world)["segments"].items()}
    expected = {name: len(members) for name, members in truth[world].items() if name != "universe"}
    assert counted == expected
    assert demo.world(world)["people"] == len(truth[world]["universe"])


def test_each_event_was_ingested_once(demo: Demo) -> None:
    assert demo.world(complete_journey.NAME)["events"] == complete_journey_sql.events(published_files())
    assert demo.world(catering.NAME)["events"] == catering_sql.events(demo.data / "worlds" / catering.NAME)


def test_members_are_the_households_of_sql(
    demo: Demo, truth: dict[str, dict[str, set[Any]]], channel: grpc.Channel
) -> None:
    workspace = DemoClient(complete_journey.NAME, complete_journey.AS_OF, channel)
    identity = identity_pb2_grpc.IdentityServiceStub(channel)
    expected = truth[complete_journey.NAME]
    for name in (name for name in expected if ":" not in name and name != "universe"):
        request = identity_pb2.ListIdentifiersRequest(
            workspace=complete_journey.NAME, persons=workspace.evaluate(name).roaring, namespace="card"
        )
        cards = {value for page in identity.ListIdentifiers(request) for value in page.values}
        assert cards == expected[name], name


def test_a_restarted_server_has_the_same_counts(demo: Demo, channel: grpc.Channel) -> None:
    for world, as_of in ((complete_journey.NAME, complete_journey.AS_OF), (catering.NAME, catering.AS_OF)):
        workspace = DemoClient(world, as_of, channel)
        for name, segment in demo.world(world)["segments"].items():
            if ":" not in name:
                assert workspace.evaluate(name).count == segment["count"], name


@pytest.mark.parametrize("world", [complete_journey.NAME, catering.NAME])
def test_the_output_explains_the_difference_between_two_30_day_windows(demo: Demo, world: str) -> None:
    rolling, calendar = (demo.world(world)["segments"][name] for name in ("lapsed_30d", "lapsed_calendar_month"))
    assert rolling["count"] != calendar["count"]
    assert rolling["windows"] != calendar["windows"]
    assert "30d is 720 hours" in demo.output


def test_browsing_does_not_count_as_a_touch(demo: Demo, truth: dict[str, dict[str, set[Any]]]) -> None:
    members = truth[catering.NAME]
    assert members["just_looking"]
    assert members["just_looking"] == members["quiet"] - members["quiet_if_browsing_counted"]
    segments = demo.world(catering.NAME)["segments"]
    assert 0 < segments["just_looking"]["count"] < segments["quiet"]["count"]


@pytest.mark.parametrize("world", [complete_journey.NAME, catering.NAME])
def test_the_campaign_reaches_the_segment_without_the_holdout(
    demo: Demo, truth: dict[str, dict[str, set[Any]]], world: str
) -> None:
    campaign = demo.world(world)["campaign"]
    waterfall = dict(campaign["waterfall"])
    segment = campaign["segment"].partition("@")[0]
    assert waterfall["audience"] == len(truth[world][segment])
    counts = [count for _, count in campaign["waterfall"]]
    assert counts == sorted(counts, reverse=True)
    assert campaign["delivered"] == counts[-1] < counts[0]
    # A hash selects one tenth; the count is within five standard deviations.
    before, eligible = counts[-2:]
    assert abs((before - eligible) - before / 10) <= 5 * (before * 0.09) ** 0.5
    file = Path(campaign["file"])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == campaign["sha256"]
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == campaign["delivered"]


def test_each_household_of_the_segment_receives_its_own_coupon(
    demo: Demo, truth: dict[str, dict[str, set[Any]]]
) -> None:
    campaign = demo.world(complete_journey.NAME)["campaign"]
    with Path(campaign["file"]).open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    cards = [row["identifier"] for row in rows]
    assert len(set(cards)) == len(cards)
    assert set(cards) <= truth[complete_journey.NAME]["coupon_recall"]
    coupons = {row["coupon"] for row in rows}
    assert len(coupons) == len(rows)


def test_a_rule_is_previewed_on_the_folder_of_the_demo(demo: Demo, channel: grpc.Channel) -> None:
    """The preview uses the as-of instant of the demo."""
    tagging = tagging_pb2_grpc.TaggingServiceStub(channel)
    for world in (complete_journey, catering):
        workspace = DemoClient(world.NAME, world.AS_OF, channel)
        found = workspace.preview("in segment lapsed_30d")
        assert found.sets[0].matched == demo.world(world.NAME)["segments"]["lapsed_30d"]["count"]
        rules = tagging.ListRules(tagging_pb2.ListRulesRequest(workspace=world.NAME, page_size=100)).rules
        assert {rule.author for rule in rules} == {"demo"}


def test_the_json_output_has_its_documented_fields(demo: Demo) -> None:
    assert set(demo.found) == {"peak_memory_mb", "worlds"}
    assert demo.found["peak_memory_mb"] > 50
    for world in demo.found["worlds"].values():
        assert set(world) == {"events", "people", "ingest_seconds", "as_of", "segments", "campaign"}
        for segment in world["segments"].values():
            assert set(segment) == {"rule", "count", "milliseconds", "windows"}
        assert set(world["campaign"]) == {"segment", "waterfall", "delivered", "file", "sha256"}


def test_the_demo_refuses_a_folder_with_other_data(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("precious")
    command = [sys.executable, "-m", "quanyu", "demo", "--people", "1", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "holds something other than an earlier demo" in done.stderr
    assert (tmp_path / "orders.csv").read_text() == "precious"
