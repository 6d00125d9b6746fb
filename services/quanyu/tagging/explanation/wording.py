"""Writes facts about a person in words, at the instant and in the zone of a clock."""

from __future__ import annotations

import itertools
from decimal import Decimal

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Clock, format_rule
from quanyu.dsl.planning.literals import decimal_text
from quanyu.dsl.syntax import Text
from quanyu.tagging.explanation.person_queries import at_ms

WORDS = {
    pb.VERDICT_TRUE: "true",
    pb.VERDICT_FALSE: "false",
    pb.VERDICT_UNKNOWN: "unknown",
    pb.VERDICT_OUTSIDE: "outside",
}
_UNITS = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]


def describe_witness(witness: pb.Witness, clock: Clock) -> str:
    """Returns an attribute, a measure or a recency in words."""
    match witness.WhichOneof("fact"):
        case "attribute":
            return f"{witness.attribute.name} is {value_text(witness.attribute.value, clock)}"
        case "measure":
            about = "about " if witness.measure.cut else ""
            return f"{witness.measure.text} is {about}{value_text(witness.measure.value, clock)}"
    recency = witness.recency
    if not recency.HasField("instant"):
        return f"{recency.name} is unknown: there is no such event"
    at = at_ms(recency.instant)
    return f"{recency.name} is {elapsed(clock.as_of_ms - at)}, since {local(at, clock)}"


def value_text(value: event_pb2.Value, clock: Clock) -> str:
    match value.WhichOneof("kind"):
        case "flag":
            return "true" if value.flag else "false"
        case "decimal":
            return decimal_text(Decimal(value.decimal))
        case "text":
            return format_rule(Text(value.text))
        case "instant":
            return local(at_ms(value.instant), clock)
        case "date":
            return str(value.date)
        case "set":
            return f"[{', '.join(format_rule(Text(item)) for item in value.set.items)}]"
        case "map":
            return ", ".join(f"{key}: {value_text(held, clock)}" for key, held in sorted(value.map.entries.items()))
        case "point":
            return f"({value.point.latitude}, {value.point.longitude})"
    return "unknown"


def local(ms: int, clock: Clock) -> str:
    """Returns the local time, with seconds and milliseconds if they are not 0."""
    moment = clock.local_time(ms).replace(tzinfo=None)
    return moment.isoformat(" ", "milliseconds" if ms % 1_000 else "seconds" if ms % 60_000 else "minutes")


def number_of(count: int, word: str) -> str:
    return f"no {word}" if count == 0 else f"{count} {word}{'' if count == 1 else 's'}"


def elapsed(ms: int) -> str:
    """Returns a duration in its two largest units: `31d 4h`."""
    for (large, long), (small, short) in itertools.pairwise(_UNITS):
        if ms >= long:
            rest = ms % long // short
            return f"{ms // long}{large}" + (f" {rest}{small}" if rest else "")
    return f"{ms}ms"
