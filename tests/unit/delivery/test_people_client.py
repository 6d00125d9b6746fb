"""Members, identifiers and erased people come from the real services, in pages and with a checked digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from quanyu.delivery import people_client as people_client_module
from quanyu.delivery.people_client import PeopleClient
from quanyu.engine import roaring_count, roaring_from_ids
from quanyu.runtime.errors import NotFound, Unavailable
from quanyu.runtime.rpc.channels import open_channel
from tests.unit.local_server import WORKSPACE, serve_shop


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleClient]:
    folder: Path = tmp_path_factory.mktemp("shop")
    with serve_shop(folder) as server, open_channel(server.address) as channel:
        yield PeopleClient(channel, channel)


def test_members_have_a_version_a_count_and_their_digest(client: PeopleClient) -> None:
    members = client.members(WORKSPACE, "buyers", 0, None)
    assert (members.segment, members.count) == ("buyers@1", 10)
    assert roaring_count(members.persons) == 10
    assert members.sha256 == hashlib.sha256(members.persons).digest()


def test_the_members_of_an_earlier_instant_are_those_known_then(client: PeopleClient) -> None:
    members = client.members(WORKSPACE, "buyers", 1, as_of_ms=0)
    assert (members.as_of_ms, members.count) == (0, 0)


def test_identifiers_are_read_in_pages(client: PeopleClient) -> None:
    persons = client.members(WORKSPACE, "buyers", 0, None).persons
    with patch.object(people_client_module, "_PAGE_PEOPLE", 3):
        found = dict(client.identifiers(WORKSPACE, persons, "card"))
    assert sorted(found.values()) == [f"c{n}" for n in range(10)]
    assert roaring_count(roaring_from_ids(sorted(found))) == 10
    assert dict(client.identifiers(WORKSPACE, persons, "phone")) == {}


def test_nobody_is_erased_at_first_and_the_offset_moves_on(client: PeopleClient) -> None:
    persons, next_raw_offset = client.erased(WORKSPACE, 0)
    assert persons == []
    assert next_raw_offset > 0


def test_errors_are_those_of_the_other_service(client: PeopleClient) -> None:
    with pytest.raises(NotFound, match="sellers"):
        client.members(WORKSPACE, "sellers", 0, None)
    with open_channel("127.0.0.1:1") as nowhere, pytest.raises(Unavailable):
        PeopleClient(nowhere, nowhere).members(WORKSPACE, "buyers", 0, None)
