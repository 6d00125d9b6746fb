"""Reads the values of one person that a condition compares."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import PartCompiler, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning import nodes
from quanyu.tagging.evaluation.values import ExprValue
from quanyu.tagging.explanation.person_queries import PersonQueries


def value_witnesses(
    person: PersonQueries, parts: PartCompiler, as_of_ms: int, exprs: Sequence[s.Expr]
) -> list[pb.Witness]:
    """Returns the value of each expression, in order; a witness without a value is unknown.

    `parts` must compile for the same instant.
    """
    compiled = [parts.compile_value(expr) for expr in exprs]
    # The witness of a recency is the instant of its event.
    needed = [value.of if isinstance(value, nodes.Elapsed) else value for value, _ in compiled]
    found = person.values(as_of_ms, needed)
    return [_witness(format_rule(expr), *one, value) for expr, one, value in zip(exprs, compiled, found, strict=True)]


def _witness(text: str, expr: nodes.Expr, kind: Type, found: ExprValue | None) -> pb.Witness:
    match expr:
        case nodes.Elapsed():
            return pb.Witness(recency=pb.Recency(name=text, instant=None if found is None else found.value.instant))
        case nodes.Attribute() | nodes.Channels():
            return pb.Witness(attribute=pb.AttributeFact(name=text, value=None if found is None else found.value))
    measure = pb.Measure(text=text)
    # The message has no field for a duration that is not a recency.
    if found is not None and kind.family != "duration":
        measure.value.CopyFrom(found.value)
        measure.cut = found.is_truncated
    return pb.Witness(measure=measure)
