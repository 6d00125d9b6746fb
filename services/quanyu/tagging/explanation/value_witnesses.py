"""States the values of one person that a condition compares."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Parts, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning.values import Json
from quanyu.tagging.evaluation.values import ExprValue
from quanyu.tagging.explanation.person_queries import PersonQueries


def value_witnesses(person: PersonQueries, parts: Parts, as_of_ms: int, exprs: Sequence[s.Expr]) -> list[pb.Witness]:
    """Returns the value of each expression, in order; a witness without a value is unknown.

    `parts` compiles for the same instant.
    """
    compiled = [parts.value(expr) for expr in exprs]
    # A recency is told by the instant since which the time has elapsed.
    asked = [value["of"] if value["op"] == "elapsed" else value for value, _ in compiled]
    found = person.values(as_of_ms, asked)
    return [_witness(format_rule(expr), *one, value) for expr, one, value in zip(exprs, compiled, found, strict=True)]


def _witness(text: str, expr: Json, kind: Type, found: ExprValue | None) -> pb.Witness:
    match expr["op"]:
        case "elapsed":
            return pb.Witness(recency=pb.Recency(name=text, instant=None if found is None else found.value.instant))
        case "attribute" | "channels":
            return pb.Witness(attribute=pb.AttributeFact(name=text, value=None if found is None else found.value))
    measure = pb.Measure(text=text)
    # A duration that is not a recency has no form of its own in the message.
    if found is not None and kind.family != "duration":
        measure.value.CopyFrom(found.value)
        measure.cut = found.is_cut
    return pb.Witness(measure=measure)
