"""Converts a workspace's schema and settings to the catalog and clock of the rule language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Catalog, Clock, EventType, Field, ItemCatalog
from quanyu.dsl.model.catalog import Kind

KINDS: Mapping[int, Kind] = {
    event_pb2.TYPE_BOOL: "bool",
    event_pb2.TYPE_NUMBER: "number",
    event_pb2.TYPE_MONEY: "money",
    event_pb2.TYPE_TEXT: "text",
    event_pb2.TYPE_ENUM: "enum",
    event_pb2.TYPE_INSTANT: "instant",
    event_pb2.TYPE_DATE: "date",
    event_pb2.TYPE_MONTH_DAY: "month_day",
    event_pb2.TYPE_SET: "set",
    event_pb2.TYPE_MAP: "map",
    event_pb2.TYPE_POINT: "point",
}
MONDAY = 1


def catalog_of(schema: event_pb2.Schema, channels: Iterable[str]) -> Catalog:
    """Returns the event types, attributes and item catalogs of a schema, and the given channels."""
    return Catalog(
        event_types={
            t.name: EventType(
                name=t.name,
                properties=_fields(t.properties),
                counts_as_seen=t.counts_as_seen if t.HasField("counts_as_seen") else True,
                aliases=tuple(t.aliases),
            )
            for t in schema.event_types
        },
        attributes=_fields(schema.attributes),
        catalogs={
            c.name: ItemCatalog(name=c.name, attributes=_fields(c.attributes), aliases=tuple(c.aliases))
            for c in schema.catalogs
        },
        channels=tuple(channels),
    )


def clock_of(settings: event_pb2.Settings, as_of_ms: int, earliest_ms: int) -> Clock:
    """Returns the workspace's clock at an instant; the defaults are UTC and weeks that start on Monday."""
    leap_day: Literal["feb28", "mar1"] = "mar1" if settings.leap_day_is_march_first else "feb28"
    return Clock(
        as_of_ms=as_of_ms,
        zone=settings.timezone or "UTC",
        week_start=settings.week_start or MONDAY,
        day_start=settings.day_start_minutes,
        leap_day=leap_day,
        earliest_ms=earliest_ms,
    )


def _fields(declared: Iterable[event_pb2.Field]) -> dict[str, Field]:
    return {
        f.name: Field(
            name=f.name,
            kind=KINDS[f.type],
            currency=f.currency,
            values=tuple(f.values),
            ordered=f.ordered,
            aliases=tuple(f.aliases),
            reference=f.reference,
        )
        for f in declared
    }
