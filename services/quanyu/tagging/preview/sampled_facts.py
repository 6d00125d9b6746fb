"""Reads the values that a rule names, for a few people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import islice

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import PartCompiler, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning.literals import decimal_text
from quanyu.dsl.planning.nodes import Attribute, Channels, Expr
from quanyu.engine import Index
from quanyu.runtime.instants import milliseconds
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.values import ExprValue, read_values

# The maximum number of facts of one rule.
MOST_FACTS = 20
MINUTE_MS = 60_000
_WHOLE = ("count", "distinct", "days")
_HELD = (Attribute, Channels)

# The text of an expression and of its value; an unknown value is empty.
Fact = tuple[str, str]


def facts(evaluation: EvaluationContext, index: Index, rule: s.Node, persons: Sequence[int]) -> list[list[Fact]]:
    """Returns the facts of each person as of the evaluation's instant; `rule` is bound in its library.

    Omits values that cannot be shown.
    """
    if not persons:
        return []
    found = [_SampledValue.of(expr, evaluation) for expr in islice(dict.fromkeys(values_of_people(rule)), MOST_FACTS)]
    shown = [one for one in found if one.is_shown()]
    columns = read_values(evaluation, index, [one.value for one in shown], persons)
    texts = [[one.text(value, evaluation) for value in column] for one, column in zip(shown, columns, strict=True)]
    return [[(one.name, column[n]) for one, column in zip(shown, texts, strict=True)] for n in range(len(persons))]


def values_of_people(node: s.Node) -> Iterator[s.Expr]:
    """Yields the values of people that a bound condition or rule names.

    They are attributes, recencies, metrics, tags and aggregates.
    """
    match node:
        case s.Step() | s.Sequence():
            return
        case s.Path() | s.Aggregate():
            yield node
        case _:
            for child in s.iter_children(node):
                yield from values_of_people(child)


@dataclass(frozen=True, slots=True)
class _SampledValue:
    """A value that a rule names, and its form in a sample."""

    name: str
    value: Expr
    kind: Type
    is_whole: bool

    @classmethod
    def of(cls, expr: s.Expr, evaluation: EvaluationContext) -> _SampledValue:
        parts = PartCompiler(None, evaluation.library, evaluation.catalog, evaluation.clock)
        value, kind = parts.compile_value(expr)
        is_whole = isinstance(expr, s.Aggregate) and expr.fn in _WHOLE
        return cls(format_rule(expr), value, kind, is_whole)

    def is_shown(self) -> bool:
        """Returns False for a computed date, set, place or free text."""
        is_held = isinstance(self.value, _HELD)
        is_listed = bool(self.kind.values)
        return is_held or is_listed or self.kind.numeric or self.kind.family in ("duration", "instant", "bool")

    def text(self, found: ExprValue | None, evaluation: EvaluationContext) -> str:
        """Returns the text of a value in a rule, or an empty text if it is unknown."""
        if found is None:
            return ""
        if isinstance(self.value, _HELD) or found.value.WhichOneof("kind") != "decimal":
            return _written(found.value, evaluation)
        number = Decimal(found.value.decimal)
        if self.kind.family == "duration":
            return _elapsed(int(number) // MINUTE_MS)
        return decimal_text(number if self.is_whole else _to_cents(number))


def _to_cents(number: Decimal) -> Decimal:
    """Rounds to the nearest hundredth, half up, so that truncation to millionths does not matter."""
    return (number * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100


# values as texts


def _written(value: event_pb2.Value, evaluation: EvaluationContext) -> str:
    match value.WhichOneof("kind"):
        case "flag":
            return "true" if value.flag else "false"
        case "text":
            return format_rule(s.Text(value.text))
        case "instant":
            return _local(milliseconds(value.instant, "instant"), evaluation)
        case "set":
            return _list(value.set.items)
        case "point":
            return f"({value.point.latitude}, {value.point.longitude})"
        case "map":
            entries = (f"{name}: {_written(entry, evaluation)}" for name, entry in sorted(value.map.entries.items()))
            return ", ".join(entries)
    return value.decimal or value.date


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(format_rule(s.Text(text)) for text in sorted(texts))}]"


def _elapsed(minutes: int) -> str:
    """Returns days and hours, or hours and minutes below a day; a future time has elapsed by 0."""
    days, rest = divmod(max(minutes, 0), 24 * 60)
    return f"{days}d {rest // 60}h" if days else f"{rest // 60}h {rest % 60}min"


def _local(ms: int, evaluation: EvaluationContext) -> str:
    return datetime.isoformat(evaluation.clock.local_time(ms).replace(tzinfo=None), " ", "minutes")
