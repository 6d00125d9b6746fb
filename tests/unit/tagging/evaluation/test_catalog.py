"""Conversion of a schema to the catalog and clock of the rule language."""

from __future__ import annotations

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Catalog, EventType, Field, ItemCatalog
from quanyu.tagging.evaluation.catalog import KINDS, catalog_of, clock_of


def test_every_declarable_type_has_a_kind() -> None:
    assert set(KINDS) == set(event_pb2.Type.values()) - {event_pb2.TYPE_UNSPECIFIED}


def test_a_schema_becomes_a_catalog_with_every_field() -> None:
    store = event_pb2.Field(
        name="store_id", type=event_pb2.TYPE_TEXT, reference="store", aliases=["门店"], values=["a", "b"], ordered=True
    )
    paid = event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY")
    schema = event_pb2.Schema(
        event_types=[
            event_pb2.EventType(name="order", properties=[store, paid], aliases=["下单"]),
            event_pb2.EventType(name="browse", counts_as_seen=False),
        ],
        attributes=[event_pb2.Field(name="born", type=event_pb2.TYPE_DATE)],
        catalogs=[event_pb2.Catalog(name="store", attributes=[event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM)])],
    )
    properties = {
        "store_id": Field("store_id", "text", values=("a", "b"), ordered=True, aliases=("门店",), reference="store"),
        "amount": Field("amount", "money", currency="CNY"),
    }
    assert catalog_of(schema, ["pos"]) == Catalog(
        event_types={
            "order": EventType("order", properties, aliases=("下单",)),
            "browse": EventType("browse", counts_as_seen=False),
        },
        attributes={"born": Field("born", "date")},
        catalogs={"store": ItemCatalog("store", {"city": Field("city", "enum")})},
        channels=("pos",),
    )


def test_a_clock_has_the_workspaces_calendar_or_its_defaults() -> None:
    settings = event_pb2.Settings(
        timezone="Asia/Shanghai", day_start_minutes=240, week_start=7, leap_day_is_march_first=True
    )
    clock = clock_of(settings, 5, 3)
    assert (clock.zone, clock.day_start, clock.week_start, clock.leap_day) == ("Asia/Shanghai", 240, 7, "mar1")
    assert (clock.as_of_ms, clock.earliest_ms) == (5, 3)
    undeclared = clock_of(event_pb2.Settings(), 5, 3)
    assert (undeclared.zone, undeclared.day_start, undeclared.week_start, undeclared.leap_day) == ("UTC", 0, 1, "feb28")
