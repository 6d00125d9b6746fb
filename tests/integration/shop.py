"""The schema and records of a small shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 86_400

SCHEMA = event_pb2.Schema(
    event_types=[
        event_pb2.EventType(
            name="order",
            properties=[
                event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY"),
                event_pb2.Field(name="product_id", type=event_pb2.TYPE_TEXT, reference="product"),
            ],
        ),
        event_pb2.EventType(name="browse"),
    ],
    attributes=[event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM)],
    catalogs=[
        event_pb2.Catalog(
            name="product",
            kind=event_pb2.Catalog.KIND_GOODS,
            attributes=[event_pb2.Field(name="category", type=event_pb2.TYPE_ENUM)],
        )
    ],
    settings=event_pb2.Settings(timezone="Asia/Shanghai"),
)


def instant(days_ago: float) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(NOW - timedelta(days=days_ago))
    return made


def ago(seconds: float) -> float:
    """Returns the days between the NOW of the tests and `seconds` before the real time, which live segments use."""
    return (NOW - datetime.now(UTC) + timedelta(seconds=seconds)) / timedelta(days=1)


def order(key: str, person: str, days_ago: float, amount: str = "10", product: str = "") -> event_pb2.Record:
    properties = {"amount": event_pb2.Value(decimal=amount)}
    if product:
        properties["product_id"] = event_pb2.Value(text=product)
    return event_pb2.Record(
        event=event_pb2.Event(
            source="pos",
            id=key,
            type="order",
            channel="pos",
            occurred_at=instant(days_ago),
            identifiers=identifiers(person),
            properties=properties,
        )
    )


def lives_in(person: str, city: str) -> event_pb2.Record:
    profile = event_pb2.ProfileUpdate(
        source="crm",
        id=f"{person} in {city}",
        identifiers=identifiers(person),
        attributes={"city": event_pb2.Value(text=city)},
    )
    return event_pb2.Record(profile=profile)


def identifiers(person: str) -> list[event_pb2.Identifier]:
    """`card:1+phone:13800000001`: seen together."""
    pairs = (part.split(":", 1) for part in person.split("+"))
    return [event_pb2.Identifier(namespace=namespace, value=value) for namespace, value in pairs]


def batch(workspace: str, *records: event_pb2.Record, sequence: int = 0) -> ingestion_pb2.IngestRequest:
    return ingestion_pb2.IngestRequest(workspace=workspace, records=records, sequence=sequence)
