"""Writes a syntax tree as canonical text, in English or Chinese: `parse(format_rule(tree)) == tree`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.chinese import translate_to_chinese
from quanyu.dsl.keywords import needs_backquotes

Language = Literal["en", "zh"]

_TEXT_OPERATORS: dict[type[s.Node], str] = {
    s.Contains: "contains",
    s.NotContains: "not contains",
    s.StartsWith: "starts with",
    s.NotStartsWith: "not starts with",
    s.EndsWith: "ends with",
    s.NotEndsWith: "not ends with",
    s.Matches: "matches",
    s.NotMatches: "not matches",
}
_LIST_OPERATORS: dict[type[s.Node], str] = {
    s.InList: "in",
    s.NotInList: "not in",
    s.HasAny: "has any",
    s.HasAll: "has all",
    s.HasNone: "has none",
}
_RECURRENCES: dict[type[s.Node], str] = {s.InAtLeast: "at least", s.InAtMost: "at most", s.InExactly: "exactly"}
_TIMES: dict[type[s.Node], str] = {s.AtLeast: "at least", s.AtMost: "at most", s.Exactly: "exactly"}
_NOT_WITHOUT_BRACKETS = (s.InSegment, s.WasInSegmentAgo, s.WasInSegmentOn, s.EnteredSegment, s.LeftSegment, s.Sample)


def format_rule(node: s.Node, language: Language = "en") -> str:
    """Returns the canonical text of a script, a statement, a condition, an expression or a window.

    Only a test has several lines. `language` is the language of the keywords; names stay as they are in the tree.
    """
    english = _format_node(node)
    return translate_to_chinese(english) if language == "zh" else english


def _format_node(node: s.Node) -> str:
    match node:
        case s.Script(statements=statements):
            return "\n".join(map(_format_node, statements))
        case s.Setting() | s.Define() | s.Metric() | s.Segment() | s.Tag() | s.Test():
            return _format_statement(node)
        case s.Event() | s.FirstEvent() | s.Sequence():
            return _format_event_pattern(node)
        case s.Step():
            return _format_step(node)
    return _format_window(node) or _format_cond(node) or _format_expr(node)


# --- statements ---------------------------------------------------------------------------------


def _format_statement(node: s.Statement) -> str:
    match node:
        case s.Setting(words=words, value=value):
            written = value.value if re.fullmatch(r"\d\d:\d\d", value.value) else _format_expr(value)
            return " ".join(["use", *words, written])
        case s.Define(ref=ref, steps=steps):
            parts = [
                f"({_format_step(step)})" if step.where and len(steps) > 1 else _format_step(step) for step in steps
            ]
            return f"define {_format_ref(ref)} = {' or '.join(parts)}"
        case s.Metric(ref=ref, expr=expr):
            return f"metric {_format_ref(ref)} = {_format_expr(expr)}"
        case s.Segment(ref=ref, among=among, cond=cond):
            return f"segment {_format_ref(ref)}{_format_among(among)}: {_format_cond(cond)}"
        case s.Tag(ref=ref, tiers=tiers, otherwise=otherwise):
            parts = [f"{_format_expr(tier.value)} when {_format_cond(tier.cond)}" for tier in tiers]
            parts += [f"else {_format_expr(otherwise)}"] if otherwise else []
            return f"tag {_format_ref(ref)}: {'; '.join(parts)}"
        case s.Test(name=name, given=given, as_of=as_of, then=then):
            lines = [*map(_format_given, given), f"when as of {_format_expr(as_of)}", *map(_format_expectation, then)]
            return "\n".join([f"test {_format_text(name)} {{", *(f"  {line}" for line in lines), "}"])


def _format_given(given: s.GivenEvent | s.GivenPerson) -> str:
    attrs = ", ".join(f"{_format_name(attr.name)}: {_format_attr_value(attr)}" for attr in given.attrs)
    if isinstance(given, s.GivenPerson):
        return f"given {_format_name(given.person)} {{{attrs}}}"
    event = f"given {_format_name(given.person)} did {_format_ref(given.ref)} at {_format_expr(given.at)}"
    return f"{event} {{{attrs}}}" if attrs else event


def _format_attr_value(attr: s.Attr) -> str:
    return _format_list(attr.value) if isinstance(attr.value, tuple) else _format_expr(attr.value)


def _format_expectation(then: s.ThenIn | s.ThenNotIn | s.ThenValue) -> str:
    match then:
        case s.ThenIn():
            return f"then {_format_name(then.person)} in segment {_format_ref(then.ref)}"
        case s.ThenNotIn():
            return f"then {_format_name(then.person)} not in segment {_format_ref(then.ref)}"
        case s.ThenValue():
            return f"then {_format_name(then.person)}.{_format_name(then.name)} = {_format_expr(then.value)}"


# --- conditions ---------------------------------------------------------------------------------


def _format_cond(node: s.Node) -> str:
    match node:
        case s.AllOf(operands=operands):
            return " and ".join(map(_format_chain_part, operands))
        case s.AnyOf(operands=operands):
            return " or ".join(map(_format_chain_part, operands))
        case s.Not(operand=inner):
            return (
                f"not {_format_cond(inner)}"
                if isinstance(inner, _NOT_WITHOUT_BRACKETS)
                else f"not ({_format_cond(inner)})"
            )
        case s.IncludingUnknown(operand=inner):
            return f"{_format_group(inner)} including unknown"
    return _format_leaf(node)


def _format_chain_part(node: s.Node) -> str:
    return f"({_format_cond(node)})" if isinstance(node, (s.AllOf, s.AnyOf)) else _format_cond(node)


def _format_group(node: s.Node) -> str:
    logical = isinstance(node, (s.AllOf, s.AnyOf, s.Not, s.IncludingUnknown))
    return f"({_format_cond(node)})" if logical else _format_cond(node)


def _format_leaf(node: s.Node) -> str:
    match node:
        case s.Compare(left=left, op=op, right=right):
            return f"{_format_comparand(left)} {op} {_format_comparand(right)}"
        case s.Between() | s.NotBetween() | s.BetweenAgo() | s.NotBetweenAgo():
            word = "not between" if isinstance(node, (s.NotBetween, s.NotBetweenAgo)) else "between"
            ago = " ago" if isinstance(node, (s.BetweenAgo, s.NotBetweenAgo)) else ""
            low, high = _format_comparand(node.low), _format_comparand(node.high)
            return f"{_format_comparand(node.expr)} {word} {low} and {high}{ago}"
        case s.InWindow(expr=expr, window=window):
            return f"{_format_comparand(expr)} {_format_window(window)}"
        case s.NotInWindow(expr=expr, window=window):
            return f"{_format_comparand(expr)} not {_format_window(window)}"
        case s.InTop(expr=expr, size=size, among=among):
            return f"{_format_comparand(expr)} in top {_format_expr(size)}" + (
                f" of {_format_ref(among)}" if among else ""
            )
        case s.InBottom(expr=expr, size=size, among=among):
            return f"{_format_comparand(expr)} in bottom {_format_expr(size)}" + (
                f" of {_format_ref(among)}" if among else ""
            )
        case s.IsKnown(expr=expr):
            return f"{_format_comparand(expr)} is known"
        case s.IsUnknown(expr=expr):
            return f"{_format_comparand(expr)} is unknown"
        case s.InList() | s.NotInList() | s.HasAny() | s.HasAll() | s.HasNone():
            return f"{_format_comparand(node.expr)} {_LIST_OPERATORS[type(node)]} {_format_list(node.items)}"
        case s.Near(path=path, distance=distance, center=center):
            return f"{_format_expr(path)} within {_format_expr(distance)} of {_format_expr(center)}"
    if type(node) in _TEXT_OPERATORS:
        return f"{_format_comparand(node.expr)} {_TEXT_OPERATORS[type(node)]} {_format_expr(node.value)}"  # type: ignore[attr-defined]
    return _format_person_test(node)


def _format_person_test(node: s.Node) -> str:
    match node:
        case s.Anniversary(path=path, window=window):
            return f"anniversary of {_format_expr(path)} {_format_window(window)}"
        case s.NotAnniversary(path=path, window=window):
            return f"anniversary of {_format_expr(path)} not {_format_window(window)}"
        case s.Did(pattern=pattern):
            return f"did {_format_event_pattern(pattern)}"
        case s.DidNot(pattern=pattern):
            return f"did not {_format_event_pattern(pattern)}"
        case s.InSegment(ref=ref):
            return f"in segment {_format_ref(ref)}"
        case s.WasInSegmentAgo(ref=ref, duration=duration):
            return f"was in segment {_format_ref(ref)} {_format_expr(duration)} ago"
        case s.WasInSegmentOn(ref=ref, date=date):
            return f"was in segment {_format_ref(ref)} on {_format_expr(date)}"
        case s.EnteredSegment(ref=ref, window=window):
            return f"entered segment {_format_ref(ref)} {_format_window(window)}"
        case s.LeftSegment(ref=ref, window=window):
            return f"left segment {_format_ref(ref)} {_format_window(window)}"
        case s.Sample(percent=percent, seed=seed):
            return f"sample {_format_expr(percent)}" + (f" seed {_format_expr(seed)}" if seed else "")
    return ""


def _format_event_pattern(node: s.EventPattern) -> str:
    match node:
        case s.Event(step=step, times=times, window=window):
            counted = f" {_TIMES[type(times)]} {times.number} times" if times else ""
            return f"{_format_step(step)}{counted} {_format_window(window)}"
        case s.FirstEvent(step=step, window=window):
            return f"{_format_step(step)} for the first time {_format_window(window)}"
        case s.Sequence(first=first, later_steps=later_steps, by=by, window=window):
            steps = " ".join([_format_step(first), *map(_format_later_step, later_steps)])
            return f"({steps})" + (f" by {_format_expr(by)}" if by else "") + f" {_format_window(window)}"


def _format_later_step(node: s.ThenStep | s.WithoutStep) -> str:
    if isinstance(node, s.WithoutStep):
        return f"without {_format_step(node.step)}"
    after = f" after {_format_expr(node.after)}" if node.after else ""
    within = f" within {_format_expr(node.within)}" if node.within else ""
    return f"then {_format_step(node.step)}{after}{within}"


def _format_step(step: s.Step) -> str:
    return _format_ref(step.ref) + (f" where ({_format_cond(step.where)})" if step.where else "")


# --- windows ------------------------------------------------------------------------------------


def _format_window(node: s.Node) -> str:
    """Returns a window with its preposition, such as `in last 30d`; an empty string for other nodes."""
    match node:
        case s.LastElapsed(duration=duration):
            return f"in last {_format_expr(duration)}"
        case s.NextElapsed(duration=duration):
            return f"in next {_format_expr(duration)}"
        case s.LastUnits(number=number, unit=unit):
            return f"in last {_format_units(number, unit)}"
        case s.NextUnits(number=number, unit=unit):
            return f"in next {_format_units(number, unit)}"
        case s.LastUnit(unit=unit):
            return f"in last {unit}"
        case s.ThisUnit(unit=unit):
            return f"in this {unit}"
        case s.NextUnit(unit=unit):
            return f"in next {unit}"
        case s.Month(year=year, month=month):
            return f"in {year:04}-{month:02}"
        case s.Today() | s.Yesterday() | s.Tomorrow() | s.Ever():
            return type(node).__name__.lower()
        case s.OnDay(date=date):
            return f"on {_format_expr(date)}"
        case s.BetweenDays(low=low, high=high):
            return f"between {_format_expr(low)} and {_format_expr(high)}"
        case s.BetweenDurations(low=low, high=high):
            return f"between {_format_expr(low)} and {_format_expr(high)} ago"
        case s.Since(when=when):
            return f"since {_format_expr(when)}"
        case s.Before(when=when):
            return f"before {_format_expr(when)}"
        case s.InEach(units=units):
            return f"in each of last {_format_units(units.number, units.unit)}"
        case s.InAtLeast(units=units) | s.InAtMost(units=units) | s.InExactly(units=units):
            return f"in {_RECURRENCES[type(node)]} {node.number} of last {_format_units(units.number, units.unit)}"
    return ""


def _format_units(number: int, unit: str) -> str:
    return f"{number} calendar {unit}{'' if number == 1 else 's'}"


# --- expressions --------------------------------------------------------------------------------


def _format_expr(node: s.Node) -> str:
    match node:
        case s.Path(ref=ref, keys=keys):
            return _format_ref(ref) + "".join(map(_format_key, keys))
        case s.Number(value=value):
            return _format_decimal(value)
        case s.Percent(value=value):
            return f"{_format_decimal(value)}%"
        case s.Text(value=text):
            return _format_text(text)
        case s.Boolean(value=truth):
            return "true" if truth else "false"
        case s.Duration(amount=amount, unit=unit):
            return f"{amount}{unit}"
        case s.Distance(amount=metres, unit=unit):
            return f"{_format_decimal(metres)}{unit}"
        case s.Date(value=date):
            return date.isoformat()
        case s.DateTime(value=moment):
            return moment.isoformat(" ", "minutes")
        case s.Point(lat=lat, lon=lon):
            return f"({_format_decimal(lat)}, {_format_decimal(lon)})"
        case s.Arithmetic(op=op, left=left, right=right):
            return f"{_format_operand(left, op, False)} {op} {_format_operand(right, op, True)}"
        case s.Default(expr=expr, otherwise=otherwise):
            return f"{_format_base(expr)} default {_format_base(otherwise)}"
        case s.Aggregate(fn=fn, path=path, where=where, window=window):
            filtered = f" where ({_format_cond(where)})" if where else ""
            return f"{fn}({_format_expr(path)}{filtered}{f' {_format_window(window)}' if window else ''})"
        case s.Tile(fn=fn, expr=expr, among=among):
            return f"{fn}({_format_expr(expr)}{_format_among(among)})"
    raise TypeError(f"{type(node).__name__} is not a part of a rule")


def _format_comparand(node: s.Node) -> str:
    """Formats one side of a comparison, where `default` needs brackets (G15)."""
    return f"({_format_expr(node)})" if isinstance(node, s.Default) else _format_expr(node)


def _format_base(node: s.Node) -> str:
    return f"({_format_expr(node)})" if isinstance(node, (s.Default, s.Arithmetic)) else _format_expr(node)


def _format_operand(node: s.Node, op: str, is_right: bool) -> str:
    if not isinstance(node, s.Arithmetic):
        return _format_base(node)
    binds_tighter = node.op in "*/" and op in "+-"
    same = (node.op in "*/") == (op in "*/")
    return _format_expr(node) if binds_tighter or (same and not is_right) else f"({_format_expr(node)})"


def _format_among(ref: s.Ref | None) -> str:
    return f" among {_format_ref(ref)}" if ref else ""


def _format_list(items: Iterable[s.Node]) -> str:
    return f"[{', '.join(map(_format_expr, items))}]"


def _format_key(key: s.Key | s.Text) -> str:
    return f".{_format_name(key.name)}" if isinstance(key, s.Key) else f"[{_format_text(key.value)}]"


def _format_ref(ref: s.Ref) -> str:
    name = f"`{ref.name}`" if ref.quoted else _format_name(ref.name)
    return name if ref.version is None else f"{name}@{ref.version}"


def _format_name(name: str) -> str:
    return f"`{name}`" if needs_backquotes(name) else name


def _format_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _format_decimal(value: Decimal) -> str:
    return f"{value:f}"
