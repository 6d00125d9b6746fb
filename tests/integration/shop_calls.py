"""Calls of the services, made for the small shop."""

from __future__ import annotations

import hashlib

from pyroaring import BitMap64

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import Quanyu
from tests.integration.shop import SCHEMA, batch, identifiers, instant, lives_in, order
from tests.waiting import PATIENCE

RULES = """
segment lapsed: last_order > 30d
segment regulars: did order at least 2 times in last 30d
segment coffee_lovers: did order where (product.category = 'coffee')
tag spend: 'high' when sum(order.amount) >= 100; 'some' when count(order) >= 1; else 'none'
"""


def declare(quanyu: Quanyu) -> int:
    request = ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA)
    return int(quanyu.ingestion.PutSchema(request).raw_offset)


def send(quanyu: Quanyu, *records: event_pb2.Record) -> int:
    answer = quanyu.ingestion.Ingest(batch(quanyu.workspace, *records))
    assert not answer.rejects
    return int(answer.raw_offset)


def fill(quanyu: Quanyu) -> int:
    """Ingests ann, who lapsed, bob, a regular with two cards, and cid, a mere profile; returns the raw offset."""
    declare(quanyu)
    coffee = event_pb2.CatalogItem(catalog="product", key="p1", attributes={"category": event_pb2.Value(text="coffee")})
    answer = quanyu.ingestion.Ingest(
        batch(
            quanyu.workspace,
            event_pb2.Record(item=coffee),
            order("1", "card:ann", 40, "100"),
            order("2", "card:bob", 20, "5", product="p1"),
            order("3", "phone:13800000001", 10),
            order("4", "card:bob+phone:13800000001", 5),
            lives_in("card:cid", "Beijing"),
        )
    )
    assert (answer.accepted, answer.duplicates, list(answer.rejects)) == (6, 0, [])
    return int(answer.raw_offset)


def wait_for_rules(quanyu: Quanyu, offset: int) -> int:
    """Waits until rules see the raw log up to the offset; returns the offset."""
    request = tagging_pb2.ValidateRuleRequest(workspace=quanyu.workspace, text="did order", min_raw_offset=offset)
    assert not quanyu.tagging.ValidateRule(request, timeout=PATIENCE).diagnostics
    return offset


def people(quanyu: Quanyu, offset: int, *names: str) -> list[int]:
    wanted = [identifier for name in names for identifier in identifiers(name)]
    request = identity_pb2.BatchResolveRequest(workspace=quanyu.workspace, identifiers=wanted, min_raw_offset=offset)
    answer = quanyu.identity.BatchResolve(request, timeout=PATIENCE)
    assert answer.epoch.raw_offset >= offset
    return list(answer.persons)


def publish(quanyu: Quanyu, text: str, offset: int) -> list[tagging_pb2.Rule]:
    request = tagging_pb2.PublishRuleRequest(
        workspace=quanyu.workspace, text=text, author="tester", min_raw_offset=offset
    )
    return list(quanyu.tagging.PublishRule(request, timeout=PATIENCE).rules)


def as_of(offset: int = 0, days_ago: float = 0) -> tagging_pb2.AsOf:
    return tagging_pb2.AsOf(instant=instant(days_ago), min_raw_offset=offset)


def members(quanyu: Quanyu, segment: str, offset: int = 0) -> set[int]:
    request = tagging_pb2.EvaluateRequest(workspace=quanyu.workspace, segment=segment, as_of=as_of(offset))
    chunks = list(quanyu.tagging.Evaluate(request, timeout=PATIENCE))
    roaring = b"".join(chunk.roaring for chunk in chunks)
    header = chunks[0].header
    found = set(BitMap64.deserialize(roaring))
    assert header.count == len(found)
    assert header.sha256 == hashlib.sha256(roaring).digest()
    assert header.basis.epoch.raw_offset >= offset
    return found


def live_members(quanyu: Quanyu, segment: str, offset: int) -> set[int]:
    as_of = tagging_pb2.AsOf(live=True, min_raw_offset=offset)
    request = tagging_pb2.EvaluateRequest(workspace=quanyu.workspace, segment=segment, as_of=as_of)
    return people_of(b"".join(chunk.roaring for chunk in quanyu.tagging.Evaluate(request, timeout=PATIENCE)))


def listed(quanyu: Quanyu, offset: int = 0) -> dict[str, tagging_pb2.LiveSegment]:
    request = tagging_pb2.ListSegmentsRequest(workspace=quanyu.workspace, min_raw_offset=offset)
    return {found.segment: found for found in quanyu.tagging.ListSegments(request, timeout=PATIENCE).segments}


def people_of(roaring: bytes) -> set[int]:
    return set(BitMap64.deserialize(roaring)) if roaring else set()
