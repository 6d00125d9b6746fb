"""A small world as plain rows, which the naive evaluator reads and the engine ingests.

The schema is fixed; people, events and their order of arrival are random. Values are Python values: Fraction for
numbers and money, str, bool, date, (month, day), Instant, frozenset, dict, (lat, lon); None is unknown.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from fractions import Fraction

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.event.v1 import event_pb2 as pb

SINCE_ALWAYS = -(2**63)


class Instant(int):
    """Milliseconds since 1970 UTC. Its own type tells it from durations and numbers."""


@dataclass(frozen=True)
class Event:
    person: int
    source: str
    id: str
    type: str
    at: int
    channel: str | None
    properties: dict[str, object]
    # The identifiers of the person that the event carries, the strongest last.
    identifiers: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A profile update. If it has no time, `at` is SINCE_ALWAYS."""

    person: int
    source: str
    id: str
    at: int
    attributes: dict[str, object]
    identifiers: tuple[str, ...]


@dataclass(frozen=True)
class World:
    zone: str
    day_start: int
    week_start: int
    leap_day_is_march_first: bool
    as_of: int
    # In order of arrival, with copies.
    records: tuple[Event | Change, ...]
    catalogs: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    # The people who lose their phone after all records, in this order.
    splits: tuple[int, ...] = ()

    def people(self) -> list[int]:
        return sorted({record.person for record in self.records})

    def events(self, person: int) -> list[Event]:
        """Returns each event once, by (occurred_at, source, id)."""
        found = {(r.source, r.id): r for r in reversed(self.records) if isinstance(r, Event) and r.person == person}
        return sorted(found.values(), key=lambda event: (event.at, event.source, event.id))

    def changes(self, person: int) -> list[Change]:
        found = {(r.source, r.id): r for r in reversed(self.records) if isinstance(r, Change) and r.person == person}
        return sorted(found.values(), key=lambda change: (change.at, change.source, change.id))


def identifiers_of(person: int) -> tuple[str, str]:
    """Returns the two identifiers of a person, the stronger one last."""
    return f"card:c{person}", f"phone:1381234{person:04}"


def split(world: World, splits: tuple[int, ...]) -> World:
    """Returns a world after splits: records with only a phone belong to a new person with a higher number."""
    apart = 1_000
    return replace(
        world,
        records=tuple(
            replace(record, person=record.person + apart)
            if record.person in splits and record.identifiers[-1].startswith("phone")
            else record
            for record in world.records
        ),
    )


CITIES = ["上海", "北京", "广州"]
LEVELS = ["bronze", "silver", "gold"]
TASTES = ["spicy", "vegan", "sweet"]
CHANNELS = ["pos", "miniapp", "web", "delivery"]
CATEGORIES = ["coffee", "tea", "cake"]
EVENT_TYPES = {
    "order": ["amount", "quantity", "gift", "note", "grade", "store_id", "product_id"],
    "scan": ["shop", "quantity"],
    "browse": ["page"],
    "refund": ["amount", "store_id"],
    "pickup": ["store_id"],
    "review": ["store_id", "stars"],
}
REFERENCES = {"store": ["store_id", "shop"], "product": ["product_id"]}
ATTRIBUTES = [
    "city",
    "level",
    "goal",
    "age",
    "balance",
    "birthday",
    "namesday",
    "signup_at",
    "is_member",
    "tastes",
    "survey",
    "home",
    "nickname",
    "churn_risk@3",
    "churn_risk@4",
]


def schema(world: World) -> pb.Schema:
    def enum(name: str, values: list[str], ordered: bool = False) -> pb.Field:
        return pb.Field(name=name, type=pb.TYPE_ENUM, values=values, ordered=ordered)

    def money(name: str) -> pb.Field:
        return pb.Field(name=name, type=pb.TYPE_MONEY, currency="CNY")

    def plain(name: str, type_: pb.Type) -> pb.Field:
        return pb.Field(name=name, type=type_)

    store_id = pb.Field(name="store_id", type=pb.TYPE_TEXT, reference="store")
    shop = pb.Field(name="shop", type=pb.TYPE_TEXT, reference="store")
    product_id = pb.Field(name="product_id", type=pb.TYPE_TEXT, reference="product")
    quantity = plain("quantity", pb.TYPE_NUMBER)
    order = [money("amount"), quantity, plain("gift", pb.TYPE_BOOL), plain("note", pb.TYPE_TEXT)]
    order += [enum("grade", LEVELS, ordered=True), store_id, product_id]
    return pb.Schema(
        event_types=[
            pb.EventType(name="order", properties=order),
            pb.EventType(name="scan", properties=[shop, quantity]),
            pb.EventType(name="browse", properties=[plain("page", pb.TYPE_TEXT)], counts_as_seen=False),
            pb.EventType(name="refund", properties=[money("amount"), store_id]),
            pb.EventType(name="pickup", properties=[store_id]),
            pb.EventType(name="review", properties=[store_id, plain("stars", pb.TYPE_NUMBER)]),
        ],
        attributes=[
            enum("city", CITIES),
            enum("level", LEVELS, ordered=True),
            enum("goal", LEVELS, ordered=True),
            plain("age", pb.TYPE_NUMBER),
            money("balance"),
            plain("birthday", pb.TYPE_DATE),
            plain("namesday", pb.TYPE_MONTH_DAY),
            plain("signup_at", pb.TYPE_INSTANT),
            plain("is_member", pb.TYPE_BOOL),
            pb.Field(name="tastes", type=pb.TYPE_SET, values=TASTES),
            plain("survey", pb.TYPE_MAP),
            plain("home", pb.TYPE_POINT),
            plain("nickname", pb.TYPE_TEXT),
            plain("churn_risk@3", pb.TYPE_NUMBER),
            plain("churn_risk@4", pb.TYPE_NUMBER),
        ],
        catalogs=[
            pb.Catalog(
                name="store",
                kind=pb.Catalog.KIND_PLACES,
                attributes=[enum("town", CITIES), plain("opened", pb.TYPE_DATE)],
            ),
            pb.Catalog(
                name="product",
                kind=pb.Catalog.KIND_GOODS,
                attributes=[enum("category", CATEGORIES), money("price"), plain("organic", pb.TYPE_BOOL)],
            ),
        ],
        settings=pb.Settings(
            timezone=world.zone,
            day_start_minutes=world.day_start,
            week_start=world.week_start,
            leap_day_is_march_first=world.leap_day_is_march_first,
        ),
    )


def to_value(value: object) -> pb.Value:
    if value is None:
        return pb.Value(cleared=0)  # type: ignore[arg-type]
    if isinstance(value, bool):
        return pb.Value(flag=value)
    if isinstance(value, Instant):
        return pb.Value(instant=to_timestamp(value))
    if isinstance(value, Fraction):
        sign, millionths = ("-" if value < 0 else ""), abs(value * 10**6)
        assert millionths.denominator == 1
        return pb.Value(decimal=f"{sign}{int(millionths) // 10**6}.{int(millionths) % 10**6:06}")
    if isinstance(value, str):
        return pb.Value(text=value)
    if isinstance(value, dt.date):
        return pb.Value(date=value.isoformat())
    if isinstance(value, frozenset):
        return pb.Value(set=pb.TextSet(items=sorted(value)))
    if isinstance(value, dict):
        return pb.Value(map=pb.ValueMap(entries={key: to_value(item) for key, item in value.items()}))
    if isinstance(value, tuple) and isinstance(value[0], int):
        return pb.Value(date=f"{value[0]:02}-{value[1]:02}")
    if isinstance(value, tuple):
        return pb.Value(point=pb.Point(latitude=value[0], longitude=value[1]))
    raise TypeError(f"no Value for {value!r}")


def to_timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def to_record(record: Event | Change) -> pb.Record:
    identifiers = [pb.Identifier(namespace=i.split(":")[0], value=i.split(":")[1]) for i in record.identifiers]
    if isinstance(record, Event):
        event = pb.Event(source=record.source, id=record.id, type=record.type, occurred_at=to_timestamp(record.at))
        event.identifiers.extend(identifiers)
        event.channel = record.channel or ""
        for name, value in record.properties.items():
            event.properties[name].CopyFrom(to_value(value))
        return pb.Record(event=event)
    profile = pb.ProfileUpdate(source=record.source, id=record.id, identifiers=identifiers)
    if record.at != SINCE_ALWAYS:
        profile.occurred_at.CopyFrom(to_timestamp(record.at))
    for name, value in record.attributes.items():
        profile.attributes[name].CopyFrom(to_value(value))
    return pb.Record(profile=profile)


def catalog_records(world: World) -> list[pb.Record]:
    records = []
    for catalog, items in world.catalogs.items():
        for key, attributes in items.items():
            item = pb.CatalogItem(catalog=catalog, key=key)
            for name, value in attributes.items():
                item.attributes[name].CopyFrom(to_value(value))
            records.append(pb.Record(item=item))
    return records
