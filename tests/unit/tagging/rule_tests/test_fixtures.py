"""Conversion of given facts to the records of a source."""

from __future__ import annotations

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.dsl import Catalog, Clock, EventType, Field, Library, RuleError, check_and_bind
from quanyu.tagging.rule_tests.fixtures import GivenFact, identifier_of, raise_first_reject, record_of

CATALOG = Catalog(
    event_types={"order": EventType("order", {"amount": Field("amount", "money", currency="CNY")})},
    attributes={
        "level": Field("level", "enum", values=("silver", "gold")),
        "born": Field("born", "date"),
        "namesday": Field("namesday", "month_day"),
        "signup_at": Field("signup_at", "instant"),
        "tastes": Field("tastes", "set"),
        "home": Field("home", "point"),
        "member": Field("member", "bool"),
    },
    channels=("pos",),
)
CLOCK = Clock(as_of_ms=0, zone="Asia/Shanghai")


def facts(*given: str) -> tuple[GivenFact, ...]:
    text = "\n".join(
        ["test 't' {", *(f"given {fact}" for fact in given), "when as of 2026-02-03 then anna.level = gold }"]
    )
    (test,) = check_and_bind(text, CATALOG, Library()).tests
    return test.given


def record(given: str, person: int = 0) -> event_pb2.Record:
    (fact,) = facts(given)
    return record_of(fact, person, CATALOG, CLOCK)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("level", "gold", event_pb2.Value(text="gold")),
        ("born", "2000-02-29", event_pb2.Value(date="2000-02-29")),
        ("namesday", "'02-29'", event_pb2.Value(date="02-29")),
        ("tastes", "['new', 'hot']", event_pb2.Value(set=event_pb2.TextSet(items=["new", "hot"]))),
        ("home", "(31.5, 121)", event_pb2.Value(point=event_pb2.Point(latitude=31.5, longitude=121))),
        ("member", "true", event_pb2.Value(flag=True)),
    ],
)
def test_an_attribute_is_sent_as_a_value_of_its_type(name: str, written: str, value: event_pb2.Value) -> None:
    assert record(f"anna {{{name}: {written}}}").profile.attributes[name] == value


def test_a_day_as_an_instant_is_its_local_start() -> None:
    value = record("anna {signup_at: 2026-01-01}").profile.attributes["signup_at"]
    assert value.instant.ToJsonString() == "2025-12-31T16:00:00Z"


def test_an_event_has_its_instant_channel_and_properties() -> None:
    event = record("anna did order at 2026-01-02 10:00 {amount: 12.50, channel: 'pos'}").event
    assert (event.type, event.channel, event.occurred_at.ToJsonString()) == ("order", "pos", "2026-01-02T02:00:00Z")
    assert dict(event.properties) == {"amount": event_pb2.Value(decimal="12.50")}


def test_facts_of_one_person_share_an_identifier() -> None:
    assert list(record("anna {level: gold}", person=3).profile.identifiers) == [identifier_of(3)]
    assert identifier_of(3) != identifier_of(4)


def test_k3_ids_sort_facts_in_the_order_of_the_text() -> None:
    given = facts(*["anna did order at 2026-01-02 10:00"] * 12)
    ids = [record_of(fact, 0, CATALOG, CLOCK).event.id for fact in given]
    assert ids == sorted(ids)
    assert len(set(ids)) == 12


def test_the_first_reject_is_reported_at_its_attribute_with_similar_values() -> None:
    given = facts("anna {member: true}", "anna {level: 'golden'}")
    reject = ingestion_pb2.RejectedRecord(index=1, field="attributes.level", message="not a declared value")
    with pytest.raises(RuleError, match="not a declared value") as caught:
        raise_first_reject([reject], given, CATALOG)
    assert list(caught.value.suggestions) == ["'gold'"]


def test_accepted_facts_raise_no_error() -> None:
    raise_first_reject([], facts("anna {level: gold}"), CATALOG)
