"""The identity service resolves, explains, splits and erases people of a real workspace."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.engine import roaring_from_ids
from quanyu.runtime.rpc.channels import open_channel
from tests.integration.shop import batch
from tests.unit.local_server import WORKSPACE, LocalServer


def card(name: str) -> event_pb2.Identifier:
    return event_pb2.Identifier(namespace="card", value=name)


@pytest.fixture(scope="module")
def identity(shop: LocalServer) -> Iterator[IdentityServiceStub]:
    """Includes a person with the two cards `x1` and `x2`."""
    with open_channel(shop.address) as channel:
        profile = event_pb2.ProfileUpdate(source="crm", id="x", identifiers=[card("x1"), card("x2")])
        ingested = IngestionServiceStub(channel).Ingest(batch(WORKSPACE, event_pb2.Record(profile=profile)))
        stub = IdentityServiceStub(channel)
        stub.Resolve(pb.ResolveRequest(workspace=WORKSPACE, identifier=card("x1"), min_raw_offset=ingested.raw_offset))
        yield stub


def resolve(identity: IdentityServiceStub, name: str) -> int:
    return int(identity.Resolve(pb.ResolveRequest(workspace=WORKSPACE, identifier=card(name))).person)


def refusal(call: grpc.UnaryUnaryMultiCallable, request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_identifiers_of_one_record_resolve_to_one_person(identity: IdentityServiceStub) -> None:
    assert resolve(identity, "x1") == resolve(identity, "x2") > 0
    assert resolve(identity, "unseen") == 0


def test_batch_resolve_equals_resolving_one_by_one(identity: IdentityServiceStub) -> None:
    names = ["c1", "x1", "unseen", "c1"]
    request = pb.BatchResolveRequest(workspace=WORKSPACE, identifiers=[card(name) for name in names])
    assert list(identity.BatchResolve(request).persons) == [resolve(identity, name) for name in names]


def test_explain_returns_the_edges_between_two_identifiers(identity: IdentityServiceStub) -> None:
    request = pb.ExplainRequest(workspace=WORKSPACE, to=card("x2"), **{"from": card("x1")})
    explained = identity.Explain(request)
    assert explained.same_person
    assert [edge.source for edge in explained.path] == ["crm"]


def test_list_identifiers_streams_one_row_for_each_person(identity: IdentityServiceStub) -> None:
    persons = sorted(resolve(identity, f"c{n}") for n in range(3))
    request = pb.ListIdentifiersRequest(workspace=WORKSPACE, persons=roaring_from_ids(persons), namespace="card")
    rows = [row for part in identity.ListIdentifiers(request) for row in zip(part.persons, part.values, strict=True)]
    assert [person for person, _ in rows] == persons
    assert {value for _, value in rows} == {"c0", "c1", "c2"}


def test_a_split_needs_identifiers_of_the_person(identity: IdentityServiceStub) -> None:
    person = resolve(identity, "x1")
    request = pb.SplitRequest(
        workspace=WORKSPACE, person=person, identifiers=[card("c5")], by="zoe", why="test", idempotency_key="s1"
    )
    code, details = refusal(identity.Split, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "does not belong to person" in details


def test_an_erased_person_is_in_no_answer_and_the_key_is_idempotent(identity: IdentityServiceStub) -> None:
    person = resolve(identity, "c9")
    request = pb.EraseRequest(
        workspace=WORKSPACE, identifier=card("c9"), by="zoe", why="requested", idempotency_key="e1"
    )
    erased = identity.Erase(request)
    assert erased.person == person
    assert identity.Erase(request) == erased
    assert resolve(identity, "c9") == 0
    listed = identity.ListErased(pb.ListErasedRequest(workspace=WORKSPACE))
    assert list(listed.persons) == [person]
    code, details = refusal(identity.Erase, pb.EraseRequest(workspace=WORKSPACE, person=person, idempotency_key="e2"))
    assert (code, "nothing is erased" in details) == (grpc.StatusCode.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("request_fields", "says"),
    [
        ({}, "idempotency_key is empty"),
        ({"idempotency_key": "k"}, "whom: give a person"),
        ({"idempotency_key": "k", "identifier": event_pb2.Identifier(namespace="card")}, "identifier: give"),
    ],
)
def test_an_incomplete_erasure_is_rejected(
    identity: IdentityServiceStub, request_fields: dict[str, object], says: str
) -> None:
    code, details = refusal(identity.Erase, pb.EraseRequest(workspace=WORKSPACE, **request_fields))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert says in details


def test_the_policy_lists_the_known_namespaces(identity: IdentityServiceStub) -> None:
    policy = identity.GetPolicy(pb.GetPolicyRequest(workspace=WORKSPACE))
    assert {"member", "phone", "card"} <= {rule.namespace for rule in policy.namespaces}


def test_an_identifier_above_the_limit_is_dropped_and_listed(shop: LocalServer, identity: IdentityServiceStub) -> None:
    members = [event_pb2.Identifier(namespace="member", value=value) for value in ("m1", "m2", "m3")]
    profile = event_pb2.ProfileUpdate(source="crm", id="three members", identifiers=[card("c8"), *members])
    with open_channel(shop.address) as channel:
        ingested = IngestionServiceStub(channel).Ingest(batch(WORKSPACE, event_pb2.Record(profile=profile)))
    wait = pb.ResolveRequest(workspace=WORKSPACE, identifier=card("c8"), min_raw_offset=ingested.raw_offset)
    identity.Resolve(wait)
    listed = identity.ListViolations(pb.ListViolationsRequest(workspace=WORKSPACE)).violations
    (violation,) = (violation for violation in listed if violation.record_id == "three members")
    assert (violation.reason, violation.source) == ("LIMIT_EXCEEDED", "crm")
    assert violation.dropped in members
