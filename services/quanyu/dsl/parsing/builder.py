"""Builds the syntax tree, and rejects literals that are invalid without a catalog (G9, G13, T10)."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from typing import Any

from lark import Token, Transformer, Tree
from lark.tree import Meta

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import needs_backquotes
from quanyu.dsl.parsing.literal_checks import check_order, check_size, to_integer, to_unit_count
from quanyu.dsl.parsing.literal_fixes import find_nearest_dates, swap_coordinates

MAX_TERMS = 100  # in one sum
MAX_METRES = 41_000_000
MAX_DURATION_MS = 365_250 * 86_400_000  # a thousand years


def _span(at: Meta | Token) -> s.Span:
    start = getattr(at, "start_pos", None)
    if start is None:
        return s.NO_SPAN
    return s.Span(at.line or 1, at.column or 1, start, at.end_pos or start)


def _read_name(token: Token) -> str:
    return unicodedata.normalize("NFKC", token.value.strip("`"))


class TreeBuilder(Transformer[Token, Any]):
    """Turns Lark's tree into the syntax tree.

    Lark calls the method `on_<alias>` for each alternative of the grammar. If there is no such method, the alternative
    becomes a node of the class with the name of the alias, and its children become the fields in order.
    """

    def __default__(self, data: Any, children: list[Any], meta: Meta) -> Any:
        name = "".join(part.capitalize() for part in str(data).split("_"))
        return getattr(s, name)(*children, span=_span(meta))

    def _call_userfunc(self, tree: Tree[Token], new_children: list[Any] | None = None) -> Any:
        children = tree.children if new_children is None else new_children
        special = getattr(self, f"on_{tree.data}", None)
        if special is None:
            return self.__default__(tree.data, children, tree.meta)
        return special(children, _span(tree.meta))

    # tokens

    def NUMBER(self, token: Token) -> s.Number:
        return s.Number(Decimal(token.value), span=_span(token))

    def PERCENT(self, token: Token) -> s.Percent:
        return s.Percent(Decimal(token.value[:-1]), span=_span(token))

    def STRING(self, token: Token) -> s.Text:
        quote = token.value[0]
        return s.Text(token.value[1:-1].replace(quote * 2, quote), span=_span(token))

    def TIME(self, token: Token) -> s.Text:
        return s.Text(token.value, span=_span(token))

    def DUR(self, token: Token) -> s.Duration:
        digits = token.value.rstrip("minhdw")
        unit = token.value[len(digits) :]
        if int(digits) == 0:
            raise RuleError.at(_span(token), "value", f"`{token.value}` is an empty duration: write at least 1{unit}")
        duration = s.Duration(int(digits), unit, span=_span(token))
        if duration.ms > MAX_DURATION_MS:
            message = f"`{token.value}` is more than a thousand years: write a shorter duration"
            raise RuleError.at(duration.span, "value", message)
        return duration

    def DIST(self, token: Token) -> s.Distance:
        in_km = token.value.endswith("km")
        amount = Decimal(token.value[:-2] if in_km else token.value[:-1])
        distance = s.Distance(amount, "km" if in_km else "m", span=_span(token))
        if distance.metres > MAX_METRES:
            message = f"`{token.value}` is more than once around the earth: write a shorter distance"
            raise RuleError.at(distance.span, "value", message)
        return distance

    def DATE(self, token: Token) -> s.Date:
        try:
            return s.Date(dt.date.fromisoformat(token.value), span=_span(token))
        except ValueError:
            raise _missing_date(token, token.value) from None

    def DATETIME(self, token: Token) -> s.DateTime:
        day, time = token.value[:10], token.value[-5:]
        try:
            return s.DateTime(dt.datetime.fromisoformat(f"{day}T{time}"), span=_span(token))
        except ValueError:
            raise _missing_date(token, f"{day} {time}") from None

    def MONTH(self, token: Token) -> s.Month:
        year, month = map(int, token.value.split("-"))
        if year == 0:
            raise _missing_date(token, token.value)
        return s.Month(year, month, span=_span(token))

    def UNIT(self, token: Token) -> str:
        return str(token.value).removesuffix("s")

    def VERSION(self, token: Token) -> int:
        if int(token.value[1:]) == 0:
            raise RuleError.at(_span(token), "value", "versions begin at 1: write a higher number")
        return int(token.value[1:])

    # names and values

    def on_ref(self, children: list[Any], span: s.Span) -> s.Ref:
        token, *version = children
        name = _read_name(token)
        is_quoted = token.value.startswith("`") or needs_backquotes(name)  # `²` is the name 2
        return s.Ref(name, version[0] if version else None, is_quoted, span=span)

    def on_key(self, children: list[Any], span: s.Span) -> s.Key:
        return s.Key(_read_name(children[0]), span=_span(children[0]))

    def on_path(self, children: list[Any], span: s.Span) -> s.Path | s.Boolean:
        ref, *keys = children
        if not keys and ref in (s.Ref("true"), s.Ref("false")):
            return s.Boolean(ref.name == "true", span=span)
        return s.Path(ref, tuple(keys), span=span)

    def on_negative(self, children: list[Any], span: s.Span) -> s.Number | s.Percent:
        kind = s.Percent if isinstance(children[-1], s.Percent) else s.Number
        return kind(-children[-1].value, span=span)

    def on_point(self, children: list[Any], span: s.Span) -> s.Point:
        lat, lon = (child.value for child in children)
        if abs(lat) > 90 or abs(lon) > 180:
            message = "write a point as (latitude, longitude): -90 to 90, -180 to 180 degrees (P3)"
            raise RuleError.at(span, "value", message, *swap_coordinates(lat, lon))
        return s.Point(lat, lon, span=span)

    def on_list(self, children: list[Any], span: s.Span) -> tuple[Any, ...]:
        return tuple(children)

    on_start = on_list
    on_attrs = on_list

    def on_cmp(self, children: list[Any], span: s.Span) -> str:
        return str(children[0])

    # expressions

    def on_sum(self, children: list[Any], span: s.Span) -> s.Expr:
        if len(children) > 2 * MAX_TERMS:
            raise RuleError.at(span, "limit", f"a sum has more than {MAX_TERMS} terms: name parts of it as metrics")
        left = children[0]
        for op, right in zip(children[1::2], children[2::2], strict=True):
            inner = s.Span(left.span.line, left.span.column, left.span.start, right.span.end)
            left = s.Arithmetic(op.value, left, right, span=inner)
        return left  # type: ignore[no-any-return]

    on_term = on_sum

    def on_aggregate(self, children: list[Any], span: s.Span) -> s.Aggregate:
        fn, path, *rest = children
        where, window = _split_optional(rest, _Where)
        window = None if isinstance(window, s.Ever) else window
        return s.Aggregate(fn.value, path, where.cond if where else None, window, span=span)

    def on_tile(self, children: list[Any], span: s.Span) -> s.Tile:
        return s.Tile(children[0].value, *children[1:], span=span)

    def on_among(self, children: list[Any], span: s.Span) -> s.Ref:
        return children[0]  # type: ignore[no-any-return]

    # conditions

    def on_all_of(self, children: list[Any], span: s.Span) -> s.AllOf:
        return s.AllOf(tuple(children), span=span)

    def on_any_of(self, children: list[Any], span: s.Span) -> s.AnyOf:
        return s.AnyOf(tuple(children), span=span)

    def on_in_top(self, children: list[Any], span: s.Span) -> s.InTop:
        check_size(children[1])
        return s.InTop(*children, span=span)

    def on_in_bottom(self, children: list[Any], span: s.Span) -> s.InBottom:
        check_size(children[1])
        return s.InBottom(*children, span=span)

    def on_sample(self, children: list[Any], span: s.Span) -> s.Sample:
        check_size(children[0])
        return s.Sample(*children, span=span)

    def on_seed(self, children: list[Any], span: s.Span) -> s.Text:
        return children[0]  # type: ignore[no-any-return]

    def on_between(self, children: list[Any], span: s.Span) -> s.Between:
        check_order(*children[1:])
        return s.Between(*children, span=span)

    def on_not_between(self, children: list[Any], span: s.Span) -> s.NotBetween:
        check_order(*children[1:])
        return s.NotBetween(*children, span=span)

    # events and windows

    def on_step(self, children: list[Any], span: s.Span) -> s.Step:
        ref, *where = children
        return s.Step(ref, where[0].cond if where else None, span=span)

    def on_where(self, children: list[Any], span: s.Span) -> _Where:
        return _Where(children[0])

    def on_event(self, children: list[Any], span: s.Span) -> s.Event:
        step, *rest = children
        times, window = _split_optional(rest, _TIMES)
        return s.Event(step, times, window or s.Ever(span=span), span=span)

    def on_sequence(self, children: list[Any], span: s.Span) -> s.Sequence:
        first, *rest = children
        later_steps = [
            s.ThenStep(f, span=f.span) if isinstance(f, s.Step) else f for f in rest if isinstance(f, _LATER_STEPS)
        ]
        by, window = _split_optional([f for f in rest if not isinstance(f, _LATER_STEPS)], s.Path)
        return s.Sequence(first, tuple(later_steps), by, window or s.Ever(span=span), span=span)

    def on_then_step(self, children: list[Any], span: s.Span) -> s.ThenStep:
        step, *rest = children
        after, within = _split_optional(rest, _After)
        return s.ThenStep(step, after.duration if after else None, within, span=span)

    def on_after(self, children: list[Any], span: s.Span) -> _After:
        return _After(children[0])

    def on_within(self, children: list[Any], span: s.Span) -> s.Duration:
        return children[0]  # type: ignore[no-any-return]

    def on_by(self, children: list[Any], span: s.Span) -> s.Path:
        return children[0]  # type: ignore[no-any-return]

    def on_at_least(self, children: list[Any], span: s.Span) -> s.AtLeast:
        return s.AtLeast(to_integer(children[0]), span=span)

    def on_at_most(self, children: list[Any], span: s.Span) -> s.AtMost:
        return s.AtMost(to_integer(children[0]), span=span)

    def on_exactly(self, children: list[Any], span: s.Span) -> s.Exactly:
        return s.Exactly(to_integer(children[0]), span=span)

    def on_last_units(self, children: list[Any], span: s.Span) -> s.LastUnits:
        return s.LastUnits(to_unit_count(children[0]), children[1], span=span)

    def on_next_units(self, children: list[Any], span: s.Span) -> s.NextUnits:
        return s.NextUnits(to_unit_count(children[0]), children[1], span=span)

    def on_units(self, children: list[Any], span: s.Span) -> s.Units:
        return s.Units(to_unit_count(children[0]), children[1], span=span)

    def on_in_at_least(self, children: list[Any], span: s.Span) -> s.InAtLeast:
        return s.InAtLeast(to_integer(children[0]), children[1], span=span)

    def on_in_at_most(self, children: list[Any], span: s.Span) -> s.InAtMost:
        return s.InAtMost(to_integer(children[0]), children[1], span=span)

    def on_in_exactly(self, children: list[Any], span: s.Span) -> s.InExactly:
        return s.InExactly(to_integer(children[0]), children[1], span=span)

    def on_month(self, children: list[Any], span: s.Span) -> s.Month:
        return children[0]  # type: ignore[no-any-return]

    def on_between_days(self, children: list[Any], span: s.Span) -> s.BetweenDays:
        check_order(*children)
        return s.BetweenDays(*children, span=span)

    # statements

    def on_setting(self, children: list[Any], span: s.Span) -> s.Setting:
        *words, value = children
        return s.Setting(tuple(str(word) for word in words), value, span=span)

    def on_define(self, children: list[Any], span: s.Span) -> s.Define:
        return s.Define(children[0], tuple(children[1:]), span=span)

    def on_segment(self, children: list[Any], span: s.Span) -> s.Segment:
        ref, *among, cond = children
        return s.Segment(ref, among[0] if among else None, cond, span=span)

    def on_tag(self, children: list[Any], span: s.Span) -> s.Tag:
        ref, *rest = children
        otherwise, _ = _split_optional(rest[-1:], _Otherwise)
        tiers = tuple(tier for tier in rest if isinstance(tier, s.Tier))
        return s.Tag(ref, tiers, otherwise.value if otherwise else None, span=span)

    def on_otherwise(self, children: list[Any], span: s.Span) -> _Otherwise:
        return _Otherwise(children[0])

    def on_attr(self, children: list[Any], span: s.Span) -> s.Attr:
        return s.Attr(_read_name(children[0]), children[1], span=span)

    def on_given_event(self, children: list[Any], span: s.Span) -> s.GivenEvent:
        return s.GivenEvent(_read_name(children[0]), *children[1:], span=span)

    def on_given_person(self, children: list[Any], span: s.Span) -> s.GivenPerson:
        return s.GivenPerson(_read_name(children[0]), children[1], span=span)

    def on_then_in(self, children: list[Any], span: s.Span) -> s.ThenIn:
        return s.ThenIn(_read_name(children[0]), children[1], span=span)

    def on_then_not_in(self, children: list[Any], span: s.Span) -> s.ThenNotIn:
        return s.ThenNotIn(_read_name(children[0]), children[1], span=span)

    def on_then_value(self, children: list[Any], span: s.Span) -> s.ThenValue:
        return s.ThenValue(_read_name(children[0]), _read_name(children[1]), children[2], span=span)

    def on_test(self, children: list[Any], span: s.Span) -> s.Test:
        name, *rest = children
        given = tuple(c for c in rest if isinstance(c, (s.GivenEvent, s.GivenPerson)))
        then = tuple(c for c in rest if isinstance(c, (s.ThenIn, s.ThenNotIn, s.ThenValue)))
        return s.Test(name.value, given, rest[len(given)], then, span=span)


class _Where:
    def __init__(self, cond: s.Cond) -> None:
        self.cond = cond


class _After:
    def __init__(self, duration: s.Duration) -> None:
        self.duration = duration


class _Otherwise:
    def __init__(self, value: s.Expr) -> None:
        self.value = value


_TIMES = (s.AtLeast, s.AtMost, s.Exactly)
_LATER_STEPS = (s.ThenStep, s.WithoutStep, s.Step)


def _split_optional(rest: list[Any], first: Any) -> tuple[Any, Any]:
    """Returns two optional children: the one of the type `first`, and the other one."""
    found = [child for child in rest if isinstance(child, first)]
    other = [child for child in rest if not isinstance(child, first)]
    return (found[0] if found else None, other[0] if other else None)


def _missing_date(token: Token, text: str) -> RuleError:
    return RuleError.at(_span(token), "value", f"`{text}` does not exist in the calendar", *find_nearest_dates(text))
