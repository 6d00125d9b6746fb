"""Evaluates expressions of a plan for some people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl.planning.nodes import Expr
from quanyu.dsl.planning.serializer import serialize_values
from quanyu.engine import Index
from quanyu.tagging.evaluation.context import EvaluationContext


@dataclass(frozen=True, slots=True)
class ExprValue:
    """A known value; a duration is its milliseconds as a decimal.

    `is_truncated`: the number has more than six fractional digits and is rounded down to them.
    """

    value: event_pb2.Value
    is_truncated: bool


def read_values(
    evaluation: EvaluationContext, index: Index, exprs: Sequence[Expr], persons: Sequence[int]
) -> list[list[ExprValue | None]]:
    """Returns the values of each expression, person by person, as of the evaluation's instant; None is unknown.

    Raises InvalidError if the engine cannot evaluate an expression.
    """
    message = serialize_values(evaluation.clock.as_of_ms, exprs)
    found = index.values(message, list(persons), evaluation.known_at, evaluation.limits)
    return [[None if value is None else _read(*value) for value in of_expr] for of_expr in found]


def _read(message: bytes, is_truncated: bool) -> ExprValue:
    return ExprValue(event_pb2.Value.FromString(message), is_truncated)
