"""The client of the demo publishes, evaluates and delivers by calls of the services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quanyu.cli.demo.client import DemoClient
from quanyu.cli.demo.world import Recall
from quanyu.engine import roaring_count
from quanyu.runtime.rpc.channels import open_channel
from tests.unit.local_server import WORKSPACE, LocalServer

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def client(shop: LocalServer) -> Iterator[DemoClient]:
    with open_channel(shop.address) as channel:
        yield DemoClient(WORKSPACE, AS_OF, channel)


def test_wait_until_visible_returns_the_number_of_people(client: DemoClient) -> None:
    assert client.wait_until_visible("did order ever", 1) == 10


def test_evaluate_returns_members_windows_and_a_median_time(client: DemoClient) -> None:
    (rule,) = client.publish("segment recent: did order where (amount > 6) in last 7d")
    assert rule.name == "recent"
    found = client.evaluate("recent")
    assert (found.count, roaring_count(found.roaring)) == (3, 3)
    assert [window.text for window in found.windows] == ["in last 7d"]
    assert found.milliseconds >= 0


def test_a_timed_preview_counts_the_people_of_a_condition(client: DemoClient) -> None:
    answer, milliseconds = client.timed_preview("did order where (amount > 6) ever")
    assert answer.sets[0].matched == 3
    assert milliseconds >= 0


def test_deliver_writes_one_file_for_the_people_who_are_not_held_out(client: DemoClient) -> None:
    report = client.deliver(Recall("buyers", "card", "BACK-", "Come back: {coupon}"))
    assert report.status.waterfall[0].count == 10
    (file,) = report.files
    assert file.rows == report.delivered == report.status.waterfall[-1].count
    assert len(Path(file.path).read_text().splitlines()) == report.delivered + 1
