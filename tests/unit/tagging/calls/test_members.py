"""Members of segments, evaluated or from the live membership."""

from __future__ import annotations

from typing import Any

import pytest

from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.tagging.calls.members import SegmentAnswer, find_segment_members
from quanyu.tagging.live import SegmentStatus
from tests.unit.tagging.sample_workspace import NOW_MS, PopulatedShop


@pytest.fixture
def shop() -> PopulatedShop:
    return PopulatedShop(
        "segment locals: city = 'Beijing'", "segment locals@2: city = 'Harbin'", "metric spend = count(order)"
    )


def find(shop: Any, *segments: tuple[str, int], live: bool = False) -> SegmentAnswer:
    return find_segment_members(shop, shop.evaluation(), segments, live=live)


def test_version_0_is_evaluated_in_its_newest_version(shop: PopulatedShop) -> None:
    found = find(shop, ("locals", 0), ("locals", 1))
    assert found.segments == [("locals", 2), ("locals", 1)]
    assert [shop.names_of(found.answer.page(root, 0, 9)) for root in (0, 1)] == [{"bob"}, {"ann", "cid"}]
    assert found.basis().versions == ["locals@1", "locals@2"]


def test_only_published_segments_have_members(shop: PopulatedShop) -> None:
    with pytest.raises(NotFound):
        find(shop, ("nothing", 0))
    with pytest.raises(InvalidInput, match="spend@1 is a metric; this call needs a segment"):
        find(shop, ("spend", 0))


class LiveMembership:
    """A live membership that has version 2 of locals."""

    def __init__(self, shop: PopulatedShop) -> None:
        evaluation = shop.evaluation()
        self._answer = evaluation.find(shop.index, [evaluation.compile_segment("locals", 2)])

    def answer(self, segments: list[str]) -> Any:
        assert segments == ["locals"]
        return self._answer, NOW_MS - 5

    def statuses(self) -> list[SegmentStatus]:
        return [SegmentStatus("locals", 2, 1, 0, None, None)]


@pytest.mark.parametrize("version", [0, 2])
def test_live_members_have_their_own_instant(shop: PopulatedShop, version: int) -> None:
    shop.live = LiveMembership(shop)  # type: ignore[attr-defined]
    found = find(shop, ("locals", version), live=True)
    assert (found.as_of_ms, found.segments) == (NOW_MS - 5, [("locals", 2)])
    assert shop.names_of(found.answer.page(0, 0, 9)) == {"bob"}


def test_an_older_version_is_not_live(shop: PopulatedShop) -> None:
    shop.live = LiveMembership(shop)  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match="the live membership has locals@2, not locals@1") as caught:
        find(shop, ("locals", 1), live=True)
    assert caught.value.reason == "NOT_LIVE"
