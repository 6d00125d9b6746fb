"""The canonical text of a syntax tree, in English or Chinese: `parse(format_rule(tree)) == tree`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.chinese import translate_to_chinese
from quanyu.dsl.keywords import needs_backquotes

Language = Literal["en", "zh"]

_TEXT_TESTS: dict[type[s.Node], str] = {
    s.Contains: "contains",
    s.NotContains: "not contains",
    s.StartsWith: "starts with",
    s.NotStartsWith: "not starts with",
    s.EndsWith: "ends with",
    s.NotEndsWith: "not ends with",
    s.Matches: "matches",
    s.NotMatches: "not matches",
}
_LIST_TESTS: dict[type[s.Node], str] = {
    s.InList: "in",
    s.NotInList: "not in",
    s.HasAny: "has any",
    s.HasAll: "has all",
    s.HasNone: "has none",
}
_REPEATS: dict[type[s.Node], str] = {s.InAtLeast: "at least", s.InAtMost: "at most", s.InExactly: "exactly"}
_TIMES: dict[type[s.Node], str] = {s.AtLeast: "at least", s.AtMost: "at most", s.Exactly: "exactly"}
_BARE_NOT = (s.InSegment, s.WasInSegmentAgo, s.WasInSegmentOn, s.EnteredSegment, s.LeftSegment, s.Sample)


def format_rule(node: s.Node, language: Language = "en") -> str:
    """The text of a script, a statement, a condition, an expression or a window. Only tests take several lines.

    `language` is that of the keywords; names are written as they stand in the tree.
    """
    english = _any(node)
    return translate_to_chinese(english) if language == "zh" else english


def _any(node: s.Node) -> str:
    match node:
        case s.Script(statements=statements):
            return "\n".join(map(_any, statements))
        case s.Setting() | s.Define() | s.Metric() | s.Segment() | s.Tag() | s.Test():
            return _statement(node)
        case s.Event() | s.FirstEvent() | s.Sequence():
            return _event_pattern(node)
        case s.Step():
            return _step(node)
    return _window(node) or _cond(node) or _expr(node)


# --- statements ---------------------------------------------------------------------------------


def _statement(node: s.Statement) -> str:
    match node:
        case s.Setting(words=words, value=value):
            written = value.value if re.fullmatch(r"\d\d:\d\d", value.value) else _expr(value)
            return " ".join(["use", *words, written])
        case s.Define(ref=ref, steps=steps):
            parts = [f"({_step(step)})" if step.where and len(steps) > 1 else _step(step) for step in steps]
            return f"define {_ref(ref)} = {' or '.join(parts)}"
        case s.Metric(ref=ref, expr=expr):
            return f"metric {_ref(ref)} = {_expr(expr)}"
        case s.Segment(ref=ref, among=among, cond=cond):
            return f"segment {_ref(ref)}{_among(among)}: {_cond(cond)}"
        case s.Tag(ref=ref, tiers=tiers, otherwise=otherwise):
            parts = [f"{_expr(tier.value)} when {_cond(tier.cond)}" for tier in tiers]
            parts += [f"else {_expr(otherwise)}"] if otherwise else []
            return f"tag {_ref(ref)}: {'; '.join(parts)}"
        case s.Test(name=name, given=given, as_of=as_of, then=then):
            lines = [*map(_given, given), f"when as of {_expr(as_of)}", *map(_then, then)]
            return "\n".join([f"test {_text(name)} {{", *(f"  {line}" for line in lines), "}"])


def _given(given: s.GivenEvent | s.GivenPerson) -> str:
    attrs = ", ".join(f"{_name(attr.name)}: {_attr_value(attr)}" for attr in given.attrs)
    if isinstance(given, s.GivenPerson):
        return f"given {_name(given.person)} {{{attrs}}}"
    event = f"given {_name(given.person)} did {_ref(given.ref)} at {_expr(given.at)}"
    return f"{event} {{{attrs}}}" if attrs else event


def _attr_value(attr: s.Attr) -> str:
    return _list(attr.value) if isinstance(attr.value, tuple) else _expr(attr.value)


def _then(then: s.ThenIn | s.ThenNotIn | s.ThenValue) -> str:
    match then:
        case s.ThenIn():
            return f"then {_name(then.person)} in segment {_ref(then.ref)}"
        case s.ThenNotIn():
            return f"then {_name(then.person)} not in segment {_ref(then.ref)}"
        case s.ThenValue():
            return f"then {_name(then.person)}.{_name(then.name)} = {_expr(then.value)}"


# --- conditions ---------------------------------------------------------------------------------


def _cond(node: s.Node) -> str:
    match node:
        case s.AllOf(operands=of):
            return " and ".join(map(_unit, of))
        case s.AnyOf(operands=of):
            return " or ".join(map(_unit, of))
        case s.Not(operand=inner):
            return f"not {_cond(inner)}" if isinstance(inner, _BARE_NOT) else f"not ({_cond(inner)})"
        case s.IncludingUnknown(operand=inner):
            return f"{_group(inner)} including unknown"
    return _leaf(node)


def _unit(node: s.Node) -> str:
    return f"({_cond(node)})" if isinstance(node, (s.AllOf, s.AnyOf)) else _cond(node)


def _group(node: s.Node) -> str:
    logical = isinstance(node, (s.AllOf, s.AnyOf, s.Not, s.IncludingUnknown))
    return f"({_cond(node)})" if logical else _cond(node)


def _leaf(node: s.Node) -> str:
    match node:
        case s.Compare(left=left, op=cmp, right=right):
            return f"{_sum(left)} {cmp} {_sum(right)}"
        case s.Between() | s.NotBetween() | s.BetweenAgo() | s.NotBetweenAgo():
            word = "not between" if isinstance(node, (s.NotBetween, s.NotBetweenAgo)) else "between"
            ago = " ago" if isinstance(node, (s.BetweenAgo, s.NotBetweenAgo)) else ""
            return f"{_sum(node.expr)} {word} {_sum(node.low)} and {_sum(node.high)}{ago}"
        case s.InWindow(expr=expr, window=window):
            return f"{_sum(expr)} {_window(window)}"
        case s.NotInWindow(expr=expr, window=window):
            return f"{_sum(expr)} not {_window(window)}"
        case s.InTop(expr=expr, size=size, among=of):
            return f"{_sum(expr)} in top {_expr(size)}" + (f" of {_ref(of)}" if of else "")
        case s.InBottom(expr=expr, size=size, among=of):
            return f"{_sum(expr)} in bottom {_expr(size)}" + (f" of {_ref(of)}" if of else "")
        case s.IsKnown(expr=expr):
            return f"{_sum(expr)} is known"
        case s.IsUnknown(expr=expr):
            return f"{_sum(expr)} is unknown"
        case s.InList() | s.NotInList() | s.HasAny() | s.HasAll() | s.HasNone():
            return f"{_sum(node.expr)} {_LIST_TESTS[type(node)]} {_list(node.items)}"
        case s.Near(path=path, distance=distance, center=of):
            return f"{_expr(path)} within {_expr(distance)} of {_expr(of)}"
    if type(node) in _TEXT_TESTS:
        return f"{_sum(node.expr)} {_TEXT_TESTS[type(node)]} {_expr(node.value)}"  # type: ignore[attr-defined]
    return _of_people(node)


def _of_people(node: s.Node) -> str:
    match node:
        case s.Anniversary(path=path, window=window):
            return f"anniversary of {_expr(path)} {_window(window)}"
        case s.NotAnniversary(path=path, window=window):
            return f"anniversary of {_expr(path)} not {_window(window)}"
        case s.Did(pattern=pattern):
            return f"did {_event_pattern(pattern)}"
        case s.DidNot(pattern=pattern):
            return f"did not {_event_pattern(pattern)}"
        case s.InSegment(ref=ref):
            return f"in segment {_ref(ref)}"
        case s.WasInSegmentAgo(ref=ref, duration=duration):
            return f"was in segment {_ref(ref)} {_expr(duration)} ago"
        case s.WasInSegmentOn(ref=ref, date=date):
            return f"was in segment {_ref(ref)} on {_expr(date)}"
        case s.EnteredSegment(ref=ref, window=window):
            return f"entered segment {_ref(ref)} {_window(window)}"
        case s.LeftSegment(ref=ref, window=window):
            return f"left segment {_ref(ref)} {_window(window)}"
        case s.Sample(percent=percent, seed=seed):
            return f"sample {_expr(percent)}" + (f" seed {_expr(seed)}" if seed else "")
    return ""


def _event_pattern(node: s.EventPattern) -> str:
    match node:
        case s.Event(step=step, times=times, window=window):
            counted = f" {_TIMES[type(times)]} {times.number} times" if times else ""
            return f"{_step(step)}{counted} {_window(window)}"
        case s.FirstEvent(step=step, window=window):
            return f"{_step(step)} for the first time {_window(window)}"
        case s.Sequence(first=first, later_steps=follow, by=by, window=window):
            steps = " ".join([_step(first), *map(_follow, follow)])
            return f"({steps})" + (f" by {_expr(by)}" if by else "") + f" {_window(window)}"


def _follow(node: s.ThenStep | s.WithoutStep) -> str:
    if isinstance(node, s.WithoutStep):
        return f"without {_step(node.step)}"
    after = f" after {_expr(node.after)}" if node.after else ""
    within = f" within {_expr(node.within)}" if node.within else ""
    return f"then {_step(node.step)}{after}{within}"


def _step(step: s.Step) -> str:
    return _ref(step.ref) + (f" where ({_cond(step.where)})" if step.where else "")


# --- windows ------------------------------------------------------------------------------------


def _window(node: s.Node) -> str:
    """With its preposition: `in last 30d`, `on 2026-01-31`; empty for what is no window."""
    match node:
        case s.LastElapsed(duration=duration):
            return f"in last {_expr(duration)}"
        case s.NextElapsed(duration=duration):
            return f"in next {_expr(duration)}"
        case s.LastUnits(number=number, unit=unit):
            return f"in last {_units(number, unit)}"
        case s.NextUnits(number=number, unit=unit):
            return f"in next {_units(number, unit)}"
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
            return f"on {_expr(date)}"
        case s.BetweenDays(low=low, high=high):
            return f"between {_expr(low)} and {_expr(high)}"
        case s.BetweenDurations(low=low, high=high):
            return f"between {_expr(low)} and {_expr(high)} ago"
        case s.Since(when=when):
            return f"since {_expr(when)}"
        case s.Before(when=when):
            return f"before {_expr(when)}"
        case s.InEach(units=units):
            return f"in each of last {_units(units.number, units.unit)}"
        case s.InAtLeast(units=units) | s.InAtMost(units=units) | s.InExactly(units=units):
            return f"in {_REPEATS[type(node)]} {node.number} of last {_units(units.number, units.unit)}"
    return ""


def _units(number: int, unit: str) -> str:
    return f"{number} calendar {unit}{'' if number == 1 else 's'}"


# --- expressions --------------------------------------------------------------------------------


def _expr(node: s.Node) -> str:
    match node:
        case s.Path(ref=ref, keys=keys):
            return _ref(ref) + "".join(map(_key, keys))
        case s.Number(value=value):
            return _decimal(value)
        case s.Percent(value=value):
            return f"{_decimal(value)}%"
        case s.Text(value=text):
            return _text(text)
        case s.Boolean(value=truth):
            return "true" if truth else "false"
        case s.Duration(amount=amount, unit=unit):
            return f"{amount}{unit}"
        case s.Distance(amount=metres, unit=unit):
            return f"{_decimal(metres)}{unit}"
        case s.Date(value=date):
            return date.isoformat()
        case s.DateTime(value=moment):
            return moment.isoformat(" ", "minutes")
        case s.Point(lat=lat, lon=lon):
            return f"({_decimal(lat)}, {_decimal(lon)})"
        case s.Arithmetic(op=op, left=left, right=right):
            return f"{_operand(left, op, False)} {op} {_operand(right, op, True)}"
        case s.Default(expr=expr, otherwise=otherwise):
            return f"{_base(expr)} default {_base(otherwise)}"
        case s.Aggregate(fn=fn, path=path, where=where, window=window):
            filtered = f" where ({_cond(where)})" if where else ""
            return f"{fn}({_expr(path)}{filtered}{f' {_window(window)}' if window else ''})"
        case s.Tile(fn=fn, expr=expr, among=among):
            return f"{fn}({_expr(expr)}{_among(among)})"
    raise TypeError(f"{type(node).__name__} is no part of a rule")


def _sum(node: s.Node) -> str:
    """Where `default` needs brackets (G15)."""
    return f"({_expr(node)})" if isinstance(node, s.Default) else _expr(node)


def _base(node: s.Node) -> str:
    return f"({_expr(node)})" if isinstance(node, (s.Default, s.Arithmetic)) else _expr(node)


def _operand(node: s.Node, op: str, is_right: bool) -> str:
    if not isinstance(node, s.Arithmetic):
        return _base(node)
    binds_tighter = node.op in "*/" and op in "+-"
    same = (node.op in "*/") == (op in "*/")
    return _expr(node) if binds_tighter or (same and not is_right) else f"({_expr(node)})"


def _among(ref: s.Ref | None) -> str:
    return f" among {_ref(ref)}" if ref else ""


def _list(items: Iterable[s.Node]) -> str:
    return f"[{', '.join(map(_expr, items))}]"


def _key(key: s.Key | s.Text) -> str:
    return f".{_name(key.name)}" if isinstance(key, s.Key) else f"[{_text(key.value)}]"


def _ref(ref: s.Ref) -> str:
    name = f"`{ref.name}`" if ref.quoted else _name(ref.name)
    return name if ref.version is None else f"{name}@{ref.version}"


def _name(name: str) -> str:
    return f"`{name}`" if needs_backquotes(name) else name


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _decimal(value: Decimal) -> str:
    return f"{value:f}"
