"""Converts the `given` facts of a test to the records that a source would send."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.dsl import Catalog, Clock, Field, RuleError
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.references import nearest
from quanyu.dsl.calendar.windows import when_ms
from quanyu.runtime.instants import timestamp

CHANNEL = Field("channel", "text")
GivenFact = s.GivenEvent | s.GivenPerson
GivenValue = s.Expr | s.Point | tuple[s.Expr, ...]


def identifier_of(person: int) -> event_pb2.Identifier:
    """Returns the identifier of the test's nth person; not their name, since ingestion ignores some words."""
    return event_pb2.Identifier(namespace="given", value=f"person {person}")


def record_of(fact: GivenFact, person: int, catalog: Catalog, clock: Clock) -> event_pb2.Record:
    """Converts a bound fact of the test's nth person. Given attributes are valid from the beginning of time (K4)."""
    identifiers = [identifier_of(person)]
    # The id sorts events of one instant in the order of the text (K3).
    key = f"{fact.span.start:06}"
    values = {attr.name: _value(attr.value, _field(fact, attr.name, catalog), clock) for attr in fact.attrs}
    if isinstance(fact, s.GivenPerson):
        profile = event_pb2.ProfileUpdate(source="test", id=key, identifiers=identifiers, attributes=values)
        return event_pb2.Record(profile=profile)
    channel = values.pop(CHANNEL.name, event_pb2.Value()).text
    event = event_pb2.Event(
        source="test",
        id=key,
        type=fact.ref.name,
        occurred_at=timestamp(when_ms(fact.at, clock)),
        identifiers=identifiers,
        channel=channel,
        properties=values,
    )
    return event_pb2.Record(event=event)


def raise_first_reject(
    rejects: Sequence[ingestion_pb2.RejectedRecord], facts: Sequence[GivenFact], catalog: Catalog
) -> None:
    """Raises RuleError at the first fact that ingestion rejects, with similar values as suggestions."""
    for reject in rejects:
        fact, name = facts[reject.index], reject.field.partition(".")[2]
        attr = next((attr for attr in fact.attrs if attr.name == name), None)
        if attr is None:
            raise RuleError.at(fact.span, "value", f"{reject.field}: {reject.message}")
        values = _field(fact, name, catalog).values
        written = attr.value if isinstance(attr.value, tuple) else (attr.value,)
        texts = [value.value for value in written if isinstance(value, s.Text) and value.value not in values]
        suggestions = [f"'{near}'" for text in texts for near in nearest(text, values)]
        raise RuleError.at(attr.span, "value", reject.message, *suggestions)


def _field(fact: GivenFact, name: str, catalog: Catalog) -> Field:
    if isinstance(fact, s.GivenPerson):
        return catalog.attributes[name]
    return CHANNEL if name == CHANNEL.name else catalog.event_types[fact.ref.name].properties[name]


def _value(value: GivenValue, field: Field, clock: Clock) -> event_pb2.Value:
    match value:
        case s.Boolean(value=truth):
            return event_pb2.Value(flag=truth)
        case s.Percent():
            return event_pb2.Value(decimal=f"{value.fraction:f}")
        case s.Number(value=number):
            return event_pb2.Value(decimal=f"{number:f}")
        case s.Date(value=date) if field.kind == "date":
            return event_pb2.Value(date=date.isoformat())
        case s.Date() | s.DateTime():
            return event_pb2.Value(instant=timestamp(when_ms(value, clock)))
        case s.Text(value=text) if field.kind == "month_day":
            return event_pb2.Value(date=text)
        case s.Text(value=text):
            return event_pb2.Value(text=text)
        case s.Point(lat=lat, lon=lon):
            return event_pb2.Value(point=event_pb2.Point(latitude=float(lat), longitude=float(lon)))
        case tuple():
            texts = [item.value for item in value if isinstance(item, s.Text)]
            return event_pb2.Value(set=event_pb2.TextSet(items=texts))
    raise TypeError(f"{value!r} cannot be the value of a given fact")
