"""Describes the place of one person in a ranking."""

from __future__ import annotations

import unicodedata
from datetime import date

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl.calendar.windows import epoch_days
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning import literals, nodes
from quanyu.tagging.explanation.person_queries import PersonQueries, at_ms


def describe_place(
    person: PersonQueries, as_of_ms: int, rank: nodes.Rank, among: nodes.Cond | None, own: pb.Witness, kind: Type
) -> str:
    """Returns the person's place in a ranking in words.

    `own` states the value that the ranking compares, which has type `kind`; `among` is the population of the rule.
    """
    population = rank.population or among
    known = nodes.Root("known", nodes.IsKnown(rank.expr), population)
    if not person.verdicts(as_of_ms, [known])[0]:
        (number,) = person.count(as_of_ms, known)
        return f"not ranked; ranked people: {number}"
    value = own.attribute.value if own.HasField("attribute") else own.measure.value
    written = None if own.measure.cut else _literal(value, kind)
    if written is None:
        (number,) = person.count(as_of_ms, known)
        return f"ranked people: {number}"
    better = nodes.Compare(">" if rank.side == "top" else "<", rank.expr, nodes.Literal(written))
    number, before = person.count(as_of_ms, known, nodes.Root("better", better, population))
    return f"place {before + 1} of {number}"


def _literal(value: event_pb2.Value, kind: Type) -> literals.Value | None:
    """Returns the literal of a value in a plan; None for sets, maps and points, which cannot be ranked."""
    match value.WhichOneof("kind"):
        case "flag":
            return literals.BoolValue(value.flag)
        case "decimal":
            return literals.NumberValue(value.decimal)
        case "text":
            return literals.TextValue(unicodedata.normalize("NFKC", value.text))
        case "instant":
            return literals.InstantValue(at_ms(value.instant))
        case "date" if kind.kind == "date":
            return literals.DateValue(epoch_days(date.fromisoformat(value.date)))
        case "date":
            month, _, day = value.date.partition("-")
            return literals.MonthDayValue(int(month) * 100 + int(day))
    return None
