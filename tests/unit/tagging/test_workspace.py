"""Open workspaces: schema snapshots, evaluations and freshness."""

from __future__ import annotations

import pytest

from quanyu.dsl import Library
from quanyu.engine import Limits
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.workspace import read_schema_snapshot
from tests.unit.tagging.live_shop import LiveShop, WaitingCall
from tests.unit.tagging.sample_workspace import DAY_MS, NOW_MS, Call, PopulatedShop
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop("segment locals: city = 'Beijing'")


def test_an_evaluation_has_the_workspaces_names_rules_and_clock(shop: PopulatedShop) -> None:
    limits = Limits(2**20)
    evaluation = shop.evaluation_at(NOW_MS, limits=limits)
    assert set(evaluation.catalog.event_types) == {"order"}
    assert evaluation.library is shop.library
    assert (evaluation.clock.as_of_ms, evaluation.clock.zone) == (NOW_MS, "Asia/Shanghai")
    assert evaluation.clock.earliest_ms == NOW_MS - 40 * DAY_MS
    assert (evaluation.known_at, evaluation.limits) == (None, limits)


def test_a_snapshot_is_read_again_only_for_another_version(shop: PopulatedShop) -> None:
    now, again = shop.evaluation_at(NOW_MS), shop.evaluation_at(NOW_MS + 1)
    assert again.catalog is now.catalog
    past = shop.evaluation_at(NOW_MS, known_at=1)
    assert past.catalog is not now.catalog
    assert past.known_at == 1


def test_a_version_that_is_not_folded_yet_is_rejected(shop: PopulatedShop) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_schema_snapshot(shop.index, known_at=99)
    assert (caught.value.reason, caught.value.metadata["field"]) == ("NOT_FOLDED_YET", "as_of.known_at")


def test_a_workspace_that_does_not_follow_the_log_has_no_live_segments(shop: PopulatedShop) -> None:
    shop.wait(99, Call())
    assert shop.offset_known_before(0) == shop.index.epoch()[0]
    with pytest.raises(InvalidInput, match="only a running server keeps live segments"):
        shop.wait_live(0, Call())


def test_live_segments_follow_the_library_at_once(live_shop: LiveShop) -> None:
    workspace = live_shop.workspace
    workspace.replace_library(Library.from_texts(["segment a: last_seen > 1d"]))
    assert workspace.evaluation_at(NOW_MS).library.newest("a") == 1
    wait_until(lambda: live_shop.errors() == {"a": None})
    workspace.wait(0, WaitingCall())
    workspace.wait_live(0, WaitingCall())
