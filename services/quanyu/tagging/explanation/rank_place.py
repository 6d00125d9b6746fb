"""States the place of one person in a ranking."""

from __future__ import annotations

import unicodedata
from datetime import date

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl.calendar.windows import epoch_days
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning.values import Json
from quanyu.tagging.explanation.person_queries import PersonQueries, at_ms


def describe_place(
    person: PersonQueries, as_of_ms: int, rank: Json, among: Json | None, own: pb.Witness, kind: Type
) -> str:
    """Returns the person's place in a ranking in words.

    `own` states the value that the ranking compares, which has type `kind`; `among` is the population of the rule.
    """
    population = rank["population"] or among
    known = {"name": "known", "cond": {"op": "known", "expr": rank["expr"]}, "among": population}
    if not person.verdicts(as_of_ms, [known])[0]:
        (number,) = person.count(as_of_ms, known)
        return f"not one of the {number} who are ranked"
    value = own.attribute.value if own.HasField("attribute") else own.measure.value
    written = None if own.measure.cut else _literal(value, kind)
    if written is None:
        (number,) = person.count(as_of_ms, known)
        return f"{number} are ranked"
    better = {"op": "compare", "cmp": ">" if rank["side"] == "top" else "<", "left": rank["expr"]}
    better["right"] = {"op": "literal", "value": written}
    number, before = person.count(as_of_ms, known, {"name": "better", "cond": better, "among": population})
    return f"place {before + 1} of {number}"


def _literal(value: event_pb2.Value, kind: Type) -> Json | None:
    """Returns a value as plans write it; None for sets, maps and points, which are not compared as wholes."""
    match value.WhichOneof("kind"):
        case "flag":
            return {"bool": value.flag}
        case "decimal":
            return {"num": value.decimal}
        case "text":
            return {"text": unicodedata.normalize("NFKC", value.text)}
        case "instant":
            return {"instant": at_ms(value.instant)}
        case "date" if kind.kind == "date":
            return {"date": epoch_days(date.fromisoformat(value.date))}
        case "date":
            month, _, day = value.date.partition("-")
            return {"month_day": int(month) * 100 + int(day)}
    return None
