"""What a rule asks of people, and what it is of some of them: found by asking the engine, for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import compile_condition, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.names import Scope
from quanyu.dsl.model.types import Type
from quanyu.dsl.planning.values import Json, decimal_text
from quanyu.engine import Index
from quanyu.runtime.instants import milliseconds
from quanyu.tagging.evaluation.context import EvaluationContext

# Of one rule, and values of an enum or tag that are tried.
MOST_FACTS = 20
MOST_VALUES = 100
MINUTE_MS = 60_000
_WHOLE = ("count", "distinct", "days")
_CENTS = 100
# Numbers that there are (A7), and minutes since 1970 or so many elapsed.
_MOST_NUMBER, _MOST_MINUTES = 9 * 10**12, 2**27
_PARTS = 16

# What is asked, and its value as a rule would write it; empty: unknown.
Fact = tuple[str, str]


def facts(evaluation: EvaluationContext, index: Index, rule: s.Node, persons: Sequence[int]) -> list[list[Fact]]:
    """Returns the facts of each person as of the evaluation's instant; `rule` is bound in its library.

    Values that cannot be shown are left out.
    """
    if not persons:
        return []
    asked = [_SampledValue.of(expr, evaluation) for expr in islice(dict.fromkeys(asked_of_people(rule)), MOST_FACTS)]
    profiles = [_profile(evaluation, index, person) for person in persons]
    engine = _Engine(evaluation, index, persons)
    columns = [(one.name, _column(one, profiles, engine, evaluation)) for one in asked]
    return [[(name, column[n]) for name, column in columns if column] for n in range(len(persons))]


def asked_of_people(node: s.Node) -> Iterator[s.Expr]:
    """Values of people that a bound condition or rule names: attributes, recencies, metrics, tags and aggregates."""
    match node:
        case s.Step() | s.Sequence():
            return
        case s.Path() | s.Aggregate():
            yield node
        case _:
            for child in s.iter_children(node):
                yield from asked_of_people(child)


@dataclass(frozen=True, slots=True)
class _SampledValue:
    """`value`: the node of the plan."""

    name: str
    value: Json
    kind: Type
    is_whole: bool

    @classmethod
    def of(cls, expr: s.Expr, evaluation: EvaluationContext) -> _SampledValue:
        known = compile_condition(s.IsKnown(expr), evaluation.library, evaluation.catalog, evaluation.clock).roots[0]
        _, kind = Conditions().expressions.bind(expr, Scope(evaluation.catalog, evaluation.library))
        is_whole = isinstance(expr, s.Aggregate) and expr.fn in _WHOLE
        return cls(format_rule(expr), known["cond"]["expr"], kind, is_whole)


class _Engine:
    """Conditions asked of a few people."""

    def __init__(self, evaluation: EvaluationContext, index: Index, persons: Sequence[int]) -> None:
        self._evaluation, self._index, self.persons = evaluation, index, list(persons)

    def ask(self, conditions: Sequence[Json]) -> list[list[bool | None]]:
        """Of each condition, the verdict on each person."""
        roots = [{"name": "fact", "cond": cond, "among": None} for cond in conditions]
        return self._evaluation.verdicts(self._index, roots, self.persons)


def _column(
    asked: _SampledValue, profiles: Sequence[pb.GetProfileResponse], engine: _Engine, evaluation: EvaluationContext
) -> list[str]:
    """The value of each person; none where values of this kind are not shown."""
    if asked.value["op"] == "attribute":
        held = [profile.attributes.get(asked.value["name"]) for profile in profiles]
        return [_written(_entry(value, asked.value["key"]), evaluation) for value in held]
    if asked.value["op"] == "channels":
        return [_list(profile.channels) for profile in profiles]
    if asked.kind.numeric:
        scale = 1 if asked.is_whole else _CENTS
        found = _greatest(asked.value, engine, _Scale("num", scale, _MOST_NUMBER * scale))
        return ["" if n is None else decimal_text(Decimal(n) / scale) for n in found]
    if asked.kind.kind in ("recency", "duration"):
        found = _greatest(asked.value, engine, _Scale("duration", 1, _MOST_MINUTES))
        return ["" if n is None else _elapsed(n) for n in found]
    if asked.kind.kind == "instant":
        found = _greatest(asked.value, engine, _Scale("instant", 1, _MOST_MINUTES))
        return ["" if n is None else _local(n * MINUTE_MS, evaluation) for n in found]
    values = ("true", "false") if asked.kind.kind == "bool" else asked.kind.values
    return _among(asked, values, engine) if 0 < len(values) <= MOST_VALUES else []


def _among(asked: _SampledValue, values: Sequence[str], engine: _Engine) -> list[str]:
    """Which of the values it is."""
    is_bool = asked.kind.kind == "bool"
    literals = [{"bool": value == "true"} if is_bool else {"text": value} for value in values]
    said = engine.ask([_compare(asked.value, "=", literal) for literal in literals])
    written = values if is_bool else [format_rule(s.Text(value)) for value in values]
    by_person = zip(*said, strict=True)
    return [next((text for text, holds in zip(written, holding, strict=True) if holds), "") for holding in by_person]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Whole numbers that stand for values: `parts` of one, or minutes."""

    kind: str
    parts: int
    most: int

    @property
    def least(self) -> int:
        return -self.most if self.kind == "num" else 0

    def sizes(self) -> list[int]:
        """Powers of two, ascending, and their negatives where there are negative values."""
        powers = [2**n for n in range(self.most.bit_length() - 1)]
        return [*(-power for power in reversed(powers) if self.least < 0), 0, *powers]

    def literal(self, number: int) -> Json:
        if self.kind == "num":
            # Half a part less, so that what is found is the nearest.
            return {"num": decimal_text((Decimal(number) - Decimal("0.5")) / self.parts)}
        return {self.kind: number * MINUTE_MS}


def _greatest(value: Json, engine: _Engine, scale: _Scale) -> list[int | None]:
    """For each person the greatest number that the value reaches; None where it is unknown.

    First its size is found among powers of two, then the range is parted evenly, again and again.
    """
    known, *_ = engine.ask([{"op": "known", "expr": value}])
    ranges = [(scale.least, scale.most) if is_known else None for is_known in known]
    asked = scale.sizes()
    while asked:
        said = engine.ask([_compare(value, ">=", scale.literal(n)) for n in asked])
        reached = [[n for n, holds in zip(asked, said, strict=True) if holds[at]] for at in range(len(ranges))]
        ranges = [
            None if ends is None else _narrowed(*ends, asked, max(passed, default=ends[0]))
            for ends, passed in zip(ranges, reached, strict=True)
        ]
        asked = sorted({n for ends in ranges if ends is not None for n in _between(*ends)})
    return [None if ends is None else ends[0] for ends in ranges]


def _narrowed(low: int, high: int, asked: Sequence[int], reached: int) -> tuple[int, int]:
    """`reached`: the greatest number that the value reaches, of those that were asked about."""
    return max(low, reached), min([high, *(n for n in asked if n > reached)])


def _between(low: int, high: int) -> list[int]:
    return sorted({low + (high - low) * part // _PARTS for part in range(1, _PARTS)} - {low})


def _compare(value: Json, cmp: str, literal: Json) -> Json:
    return {"op": "compare", "cmp": cmp, "left": value, "right": {"op": "literal", "value": literal}}


def _profile(evaluation: EvaluationContext, index: Index, person: int) -> pb.GetProfileResponse:
    return pb.GetProfileResponse.FromString(index.profile(person, evaluation.clock.as_of_ms, evaluation.known_at))


# values as texts


def _entry(value: event_pb2.Value | None, key: str | None) -> event_pb2.Value | None:
    return value if value is None or key is None else value.map.entries.get(key)


def _written(value: event_pb2.Value | None, evaluation: EvaluationContext) -> str:
    if value is None:
        return ""
    match value.WhichOneof("kind"):
        case "flag":
            return "true" if value.flag else "false"
        case "number":
            return decimal_text(Decimal(str(value.number)))
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
    days, rest = divmod(minutes, 24 * 60)
    return f"{days}d {rest // 60}h" if days else f"{rest // 60}h {rest % 60}min"


def _local(ms: int, evaluation: EvaluationContext) -> str:
    return datetime.isoformat(evaluation.clock.local_time(ms).replace(tzinfo=None), " ", "minutes")
