"""`in at least 3 of last 4 calendar weeks`: each unit judged alone, and those in which it holds counted (E8, M5)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.planning.values import (
    Json,
    Place,
    Span,
    Values,
)

MAX_UNITS = 100  # judged one by one


def starts_of(repeat: s.Recurrence, values: Values, place: Place) -> list[int]:
    """The beginnings of the units and the end of the last; echoed as one window."""
    starts = windows.unit_starts(repeat.units, place.clock)
    values.grow(repeat, len(starts))
    values.echo(format_rule(repeat), starts[0], starts[-1])
    return starts


def repeated(repeat: s.Recurrence, judge: Callable[[Span], Json], values: Values, place: Place) -> Json:
    """`judge` compiles what must hold in one unit; it is never unknown."""
    if repeat.units.number > MAX_UNITS:
        message = f"at most {MAX_UNITS} units are judged one by one: take larger ones"
        raise RuleError.at(repeat.units.span, "limit", message)
    starts = starts_of(repeat, values, place)
    judged = [judge(span) for span in itertools.pairwise(starts)]
    if isinstance(repeat, s.InEach):
        return {"op": "all", "of": judged}
    return counted(repeat, _sum([_one_if(unit) for unit in judged]))


def counted(repeat: s.Recurrence, units: Json) -> Json:
    """Whether the number of units that hold is as wanted."""
    match repeat:
        case s.InEach(units=s.Units(number=number)):
            cmp = "="
        case s.InAtLeast(number=number):
            cmp = ">="
        case s.InAtMost(number=number):
            cmp = "<="
        case s.InExactly(number=number):
            cmp = "="
    return {"op": "compare", "cmp": cmp, "left": units, "right": _literal(number)}


def _one_if(cond: Json) -> Json:
    return {"op": "case", "tiers": [{"when": cond, "value": {"num": "1"}}], "otherwise": {"num": "0"}}


def _sum(terms: list[Json]) -> Json:
    """Halves added to halves, so that the plan is not nested deeply."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return {"op": "arith", "fn": "+", "left": _sum(terms[:middle]), "right": _sum(terms[middle:])}


def _literal(number: int) -> Json:
    return {"op": "literal", "value": {"num": str(number)}}
