"""Calls about members of segments."""

from __future__ import annotations

import hashlib

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.engine import Limits
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.membership_streams import MembershipStreams
from quanyu.tagging.calls.memberships import MembershipCalls
from quanyu.tagging.registry.publishing import publish
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PublishingShop, request_context_of

AS_OF = pb.AsOf(instant=timestamp(NOW_MS))


@pytest.fixture
def shop() -> PublishingShop:
    return PublishingShop()


@pytest.fixture
def calls(shop: PublishingShop, database: Database) -> MembershipCalls:
    publish(database, shop, "segment locals: city = 'Beijing'\nsegment buyers: did order ever", "ann", Limits(2**30))  # type: ignore[arg-type]
    return MembershipCalls(request_context_of(shop), database, MembershipStreams(most=1))


def test_an_evaluation_streams_a_bitmap_with_its_digest(calls: MembershipCalls) -> None:
    request = pb.EvaluateRequest(workspace="shop", segment="locals", as_of=AS_OF)
    chunks = list(calls.Evaluate(request, Call()))
    header = chunks[0].header
    assert (header.rule.name, header.rule.version, header.count) == ("locals", 1, 2)
    assert header.sha256 == hashlib.sha256(b"".join(chunk.roaring for chunk in chunks)).digest()


def test_later_pages_repeat_version_instant_and_offset_of_the_first(
    calls: MembershipCalls, shop: PublishingShop, database: Database
) -> None:
    first = calls.ListMembers(
        pb.ListMembersRequest(workspace="shop", segment="locals", page_size=1, as_of=AS_OF), Call()
    )
    publish(database, shop, "segment locals@2: city = 'Harbin'", "ann", Limits(2**30))  # type: ignore[arg-type]
    request = pb.ListMembersRequest(workspace="shop", segment="locals", page_token=first.next_page_token)
    rest = calls.ListMembers(request, Call())
    assert shop.names_of([*first.persons, *rest.persons]) == {"ann", "cid"}
    assert (rest.basis.versions, rest.basis.as_of.ToMilliseconds()) == (["locals@1"], NOW_MS)
    assert rest.next_page_token == ""


@pytest.mark.parametrize("token", ["1:2:3", "x", f"1:1:{2**62}:0"])
def test_an_invalid_token_is_rejected(calls: MembershipCalls, token: str) -> None:
    with pytest.raises(InvalidInput):
        calls.ListMembers(pb.ListMembersRequest(workspace="shop", segment="locals", page_token=token), Call())


def test_a_check_lists_the_segments_of_each_person(calls: MembershipCalls, shop: PublishingShop) -> None:
    request = pb.CheckMembershipRequest(
        workspace="shop", segments=["locals@1", "buyers"], persons=[*shop.persons.values(), 77], as_of=AS_OF
    )
    found = calls.CheckMembership(request, Call())
    assert [list(one.segments) for one in found.memberships] == [
        ["locals@1", "buyers@1"],
        ["buyers@1"],
        ["locals@1"],
        [],
    ]
