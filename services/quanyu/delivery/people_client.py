"""Calls tagging for the members of a segment, and identity for identifiers and erased people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.engine import roaring_count, roaring_from_ids, roaring_ids
from quanyu.runtime.errors import DataLoss
from quanyu.runtime.rpc.channels import domain_errors_of

EVALUATE_SECONDS = 120.0
IDENTIFIERS_SECONDS = 60.0
_PAGE_PEOPLE = 500_000


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a segment, checked against their digest."""

    segment: str
    as_of_ms: int
    raw_offset: int
    persons: bytes
    sha256: bytes
    count: int


class PeopleClient:
    """Calls other services and raises their domain errors. Callers can retry after Unavailable."""

    def __init__(self, tagging: grpc.Channel, identity: grpc.Channel) -> None:
        self._tagging = TaggingServiceStub(tagging)
        self._identity = IdentityServiceStub(identity)

    def members(self, workspace: str, segment: str, version: int, as_of_ms: int | None) -> Members:
        """Returns the members of a segment; raises DataLoss if they arrive damaged.

        `version` 0 is the newest version; `as_of_ms` None is the current time.
        """
        request = tagging_pb2.EvaluateRequest(workspace=workspace, segment=segment, version=version)
        if as_of_ms is not None:
            request.as_of.instant.FromMilliseconds(as_of_ms)
        header = None
        chunks: list[bytes] = []
        with domain_errors_of("tagging"):
            for response in self._tagging.Evaluate(request, timeout=EVALUATE_SECONDS):
                if response.HasField("header"):
                    header = response.header
                chunks.append(response.roaring)
        persons = b"".join(chunks)
        digest = hashlib.sha256(persons).digest()
        if header is None or header.sha256 != digest or header.count != roaring_count(persons):
            raise DataLoss(
                f"the members of segment {segment!r} arrived damaged (wrong digest); plan the campaign again",
                reason="DIGEST_MISMATCH",
            )
        return Members(
            f"{header.rule.name}@{header.rule.version}",
            header.basis.as_of.ToMilliseconds(),
            header.basis.epoch.raw_offset,
            persons,
            digest,
            header.count,
        )

    def erased(self, workspace: str, from_raw_offset: int) -> tuple[list[int], int]:
        """Returns the people erased from a raw offset on, with all ids merged into them, and the next offset."""
        request = identity_pb2.ListErasedRequest(workspace=workspace, from_raw_offset=from_raw_offset)
        with domain_errors_of("identity"):
            response = self._identity.ListErased(request, timeout=IDENTIFIERS_SECONDS)
        return list(response.persons), response.next_raw_offset

    def identifiers(self, workspace: str, persons: bytes, namespace: str) -> Iterator[tuple[int, str]]:
        """Yields (person, value) for the people who have an identifier of the namespace."""
        page = roaring_ids(persons, 0, _PAGE_PEOPLE)
        while page:
            request = identity_pb2.ListIdentifiersRequest(
                workspace=workspace, persons=roaring_from_ids(page), namespace=namespace
            )
            with domain_errors_of("identity"):
                for response in self._identity.ListIdentifiers(request, timeout=IDENTIFIERS_SECONDS):
                    yield from zip(response.persons, response.values, strict=True)
            page = roaring_ids(persons, page[-1], _PAGE_PEOPLE)
