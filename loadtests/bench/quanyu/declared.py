"""The schema of the data set and the mappings that convert its rows to records."""

from __future__ import annotations

from loadtests.bench.world.habits import TYPES
from loadtests.bench.world.people import GENDERS, LEVELS
from quanyu.api.event.v1 import event_pb2
from quanyu.importer.mapping import Mapping

WORKSPACE = "bench"
NAMESPACE = "card"
# A rule that is true for everybody.
EVERYBODY = "gender is known or gender is unknown"

_MONEY = event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY")
_PROPERTIES = {
    "order": [
        _MONEY,
        event_pb2.Field(name="store_id", type=event_pb2.TYPE_TEXT),
        event_pb2.Field(name="category", type=event_pb2.TYPE_ENUM),
    ],
    "refund": [_MONEY],
}

SCHEMA = event_pb2.Schema(
    settings=event_pb2.Settings(timezone="Asia/Shanghai"),
    event_types=[event_pb2.EventType(name=name, properties=_PROPERTIES.get(name, [])) for name in TYPES],
    attributes=[
        event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM),
        event_pb2.Field(name="level", type=event_pb2.TYPE_ENUM, values=LEVELS, ordered=True),
        event_pb2.Field(name="gender", type=event_pb2.TYPE_ENUM, values=GENDERS),
        event_pb2.Field(name="birthday", type=event_pb2.TYPE_DATE),
        event_pb2.Field(name="signup_at", type=event_pb2.TYPE_INSTANT),
        event_pb2.Field(name="tastes", type=event_pb2.TYPE_SET),
        event_pb2.Field(name="score", type=event_pb2.TYPE_NUMBER),
    ],
)

PEOPLE = Mapping(
    "people",
    {
        "records": "profile",
        "source": "crm",
        "id": "{number}",
        "identifiers": [{"namespace": NAMESPACE, "value": "c{number}"}],
        "attributes": {field.name: field.name for field in SCHEMA.attributes},
    },
)
EVENTS = Mapping(
    "events",
    {
        "records": "event",
        "source": "channels",
        "id": "{row}",
        "type": "{type}",
        "occurred_at": "occurred_at",
        "channel": "{channel}",
        "identifiers": [{"namespace": NAMESPACE, "value": "c{person}"}],
        "properties": {"amount": "amount", "store_id": {"column": "store", "as": "text"}, "category": "category"},
    },
)
