"""A person's profile with the values of tags."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import NotFound
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.profiles import ProfileCalls, tag_values
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PopulatedShop, request_context_of

TAGS = (
    "tag rhythm: 'often' when count(order) >= 2; 'once' when count(order) = 1",
    "tag home: 'local' when city = 'Beijing'; else 'away'",
)


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop(*TAGS)


def profile(shop: PopulatedShop, person: int) -> pb.GetProfileResponse:
    request = pb.GetProfileRequest(workspace="shop", person=person, as_of=pb.AsOf(instant=timestamp(NOW_MS)))
    return ProfileCalls(request_context_of(shop)).GetProfile(request, Call())


@pytest.mark.parametrize(
    ("name", "values"), [("ann", ["often", "local"]), ("bob", ["once", "away"]), ("cid", [None, "local"])]
)
def test_a_tag_has_the_value_of_the_persons_tier(shop: PopulatedShop, name: str, values: list[str | None]) -> None:
    evaluation = shop.evaluation()
    compiled = [evaluation.compile_tag(tag, 1) for tag in ("rhythm", "home")]
    assert tag_values(evaluation.find(shop.index, compiled), compiled, shop.persons[name]) == values


def test_a_profile_has_attributes_and_the_tags_with_a_value(shop: PopulatedShop) -> None:
    found = profile(shop, shop.persons["cid"])
    assert found.attributes["city"].text == "Beijing"
    assert dict(found.tags) == {"home": "local"}
    assert found.basis.versions == ["home@1", "rhythm@1"]


def test_an_unknown_person_is_not_found(shop: PopulatedShop) -> None:
    with pytest.raises(NotFound, match="there is no person 77"):
        profile(shop, 77)


def test_a_timeline_is_read_page_by_page_newest_first(shop: PopulatedShop) -> None:
    calls, token, amounts = ProfileCalls(request_context_of(shop)), "", []
    for _ in range(2):
        request = pb.ListTimelineRequest(workspace="shop", person=shop.persons["ann"], page_size=1, page_token=token)
        page = calls.ListTimeline(request, Call())
        amounts += [event.properties["amount"].decimal for event in page.events]
        token = page.next_page_token
    assert amounts == ["30", "20"]


def test_a_catalog_has_the_declarations_of_the_workspace(shop: PopulatedShop) -> None:
    found = ProfileCalls(request_context_of(shop)).GetCatalog(pb.GetCatalogRequest(workspace="shop"), Call())
    assert [event.name for event in found.schema.event_types] == ["order"]
    assert found.epoch.raw_offset == shop.index.epoch()[0]
