"""Suggests corrections for texts that parse but whose parts do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog, Field
from quanyu.dsl.model.types import Type

MAX_SUGGESTIONS = 4
_NOTHING = ("null", "NULL", "Null", "none", "None", "nil", "empty", "unknown", "空")


def quote_values(values: Iterable[str]) -> list[str]:
    return [f"'{value}'" for value in values]


def suggest_unknown_test(word: str, sign: str | None) -> list[str]:
    """Suggests `is unknown` for `= null` and `is known` for `!= null` (U2)."""
    if word not in _NOTHING or sign not in ("=", "!="):
        return []
    return ["is unknown" if sign == "=" else "is known"]


def suggest_values(written: s.Expr, wanted: Type) -> list[str]:
    """Suggests values of the wanted type that resemble the written one."""
    match written:
        case s.Text(value=text):
            return _unquoted(text, wanted)
        case s.Number(value=number) if wanted.family == "duration" and number == number.to_integral_value() > 0:
            return [f"{number:f}d"]
        case s.Number(value=number) if wanted.kind == "bool" and number in (0, 1):
            return ["true" if number else "false"]
        case s.Number() | s.Percent() if wanted.kind == "text":
            return [f"'{format_rule(written)}'"]
        case s.Number() | s.Percent() | s.Boolean() if wanted.kind in ("enum", "set"):
            return quote_values(wanted.values[:MAX_SUGGESTIONS])
    return []


def _unquoted(text: str, wanted: Type) -> list[str]:
    """Suggests the text without its quotes if that has the wanted type."""
    if wanted.numeric and re.fullmatch(r"-?\d{1,13}(\.\d{1,6})?%?", text):
        return [text]
    if wanted.kind in ("date", "instant") and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return [text]
    if wanted.family == "duration" and re.fullmatch(r"[1-9]\d{0,5}(min|h|d|w)", text):
        return [text]
    if wanted.kind == "bool":
        return ["true"] if text.lower() in ("yes", "true", "y", "1", "是") else ["false"]
    return []


def suggest_clauses(node: s.Compare, left: Type, right: Type) -> list[str]:
    """Suggests whole clauses instead of a comparison of two types."""
    path, other = node.left, node.right
    if (
        isinstance(other, s.Duration)
        and isinstance(path, s.Aggregate)
        and path == replace(path, where=None, window=None)
    ):
        prefix = {"latest": "last", "earliest": "first"}.get(path.fn)
        return (
            [f"{prefix}_{path.path.ref.name} {node.op} {format_rule(other)}"] if prefix and not path.path.keys else []
        )
    if left.kind == "text" and node.op not in ("=", "!="):
        return [format_rule(replace(node, op="=", right=s.Text(format_rule(other))))] if _is_number(other) else []
    if left.kind in ("date", "instant") and isinstance(other, s.Duration):
        window = other.ms // s.ELAPSED_MS["d"] or 1
        return [f"{format_rule(path)} in {way} {window} calendar days" for way in ("next", "last")]
    if left.kind in ("date", "month_day") and isinstance(other, s.Arithmetic) and isinstance(path, s.Path):
        day = _month_day(other)
        return [f"anniversary of {format_rule(path)} on 2026-{day}"] if day else []
    return []


def _is_number(written: s.Expr) -> bool:
    return isinstance(written, s.Number | s.Percent)


def _month_day(written: s.Arithmetic) -> str:
    """Returns the month-day that a difference such as `05-20` resembles, or an empty text."""
    match written:
        case s.Arithmetic(op="-", left=s.Number(value=month), right=s.Number(value=day)) if (
            1 <= month <= 12 and 1 <= day <= 28
        ):
            return f"{int(month):02}-{int(day):02}"
    return ""


def suggest_event_values(node: Any, events: s.Path) -> list[str]:
    """Suggests values or clauses about the events whose name is used as a value."""
    name = format_rule(events)
    match node:
        case s.InWindow(window=window) | s.NotInWindow(window=window):
            did = s.Event(s.Step(events.ref), None, window)
            return [format_rule(s.Did(did) if isinstance(node, s.InWindow) else s.DidNot(did))]
        case s.Compare(right=s.Duration()) | s.Between(low=s.Duration()):
            return [f"last_{events.ref.name}", f"first_{events.ref.name}"]
        case s.Compare(right=s.Date() | s.DateTime()):
            return [f"latest({name})", f"earliest({name})"]
    return [f"count({name})"]


def suggest_set_tests(node: s.Compare) -> list[str]:
    """Suggests tests of members instead of a comparison of the whole set (C5)."""
    if not isinstance(node.right, s.Text | s.Path):
        return []
    item = node.right if isinstance(node.right, s.Text) or node.right.keys else s.Text(node.right.ref.name)
    denied = (s.NotInList, s.HasNone) if node.op == "!=" else (s.InList, s.HasAll)
    return [format_rule(kind(node.left, (item,))) for kind in denied]


def suggest_enum_range(node: s.Between | s.NotBetween) -> list[str]:
    low, high = format_rule(node.low), format_rule(node.high)
    inside = f"({format_rule(node.expr)} >= {low} and {format_rule(node.expr)} <= {high})"
    return [inside if isinstance(node, s.Between) else f"not {inside}"]


def suggest_instant_comparison(node: s.Compare, recency: s.Expr, written: str) -> list[str]:
    """Suggests both signs, the written one first, because the meaning of the sign is reversed (C1)."""
    name = recency.ref.name if isinstance(recency, s.Path) else "last_order"
    fn = "earliest" if name.startswith("first_") else "latest"
    signs = ("<", ">=") if node.op.startswith("<") else (">=", "<")
    return [f"{fn}({name.partition('_')[2]}) {sign} {written or '2026-01-31'}" for sign in signs]


def suggest_recency_range(node: s.Compare) -> list[str]:
    """Suggests a range from the written duration instead of equality (C1)."""
    path, written = node.left, node.right
    if not isinstance(path, s.Path) or not isinstance(written, s.Duration):
        return []
    following = replace(written, amount=written.amount + 1)
    denied = "not " if node.op == "!=" else ""
    return [f"{format_rule(path)} {denied}between {format_rule(written)} and {format_rule(following)}"]


def suggest_ranked_instant(node: s.InTop | s.InBottom) -> list[str]:
    """Suggests ranking by the instant instead of the recency, from either end (R9)."""
    if not isinstance(node.expr, s.Path):
        return []
    prefix, _, name = node.expr.ref.name.partition("_")
    instant = s.Aggregate("latest" if prefix == "last" else "earliest", s.Path(s.Ref(name)))
    return [format_rule(kind(instant, node.size, node.among)) for kind in (s.InTop, s.InBottom)]


def reject_property_outside_where(node: Any, catalog: Catalog) -> None:
    """Rejects a property outside `where` and suggests the clause as a filter of its event (N4)."""
    side = "left" if isinstance(node, s.Compare) else "expr"
    path = getattr(node, side, None)
    if not isinstance(path, s.Path) or path.ref.version is not None:
        return
    events = list(_events_with(path, catalog))
    if not events:
        return
    clauses = []
    for event, inner in events[:MAX_SUGGESTIONS]:
        filtered = s.Step(s.Ref(event), replace(node, **{side: inner}))
        clauses.append(format_rule(s.Did(s.Event(filtered, None, s.Ever()))).removesuffix(" ever"))
    raise RuleError.at(path.span, "scope", "use a property only inside `where` or an aggregate (N4)", *clauses)


def _events_with(path: s.Path, catalog: Catalog) -> Iterator[tuple[str, s.Path]]:
    """Yields the event types that may have the property, with the path to write in their `where`."""
    name, keys = catalog.canonical(path.ref.name), path.keys
    if name in catalog.event_types and keys:
        first = keys[0].name if isinstance(keys[0], s.Key) else keys[0].value
        yield name, s.Path(s.Ref(first), keys[1:])
        return
    for event in catalog.event_types.values():
        if _property(catalog, event.properties, path) is not None:
            yield event.name, path


def _property(catalog: Catalog, fields: Any, path: s.Path) -> Field | None:
    found = catalog.find_property(fields, path.ref.name)
    if found is None or not path.keys:
        return found
    return found if found.reference in catalog.catalogs else None


def properties_for_aggregate(fn: str, fields: Iterable[Field]) -> list[str]:
    """Returns the properties of an event that an aggregate accepts (A4, A9)."""
    every = ("distinct", "most", "count", "days", "earliest", "latest")
    dates = ("date", "instant") if fn in ("min", "max") else ()
    return sorted(f.name for f in fields if f.kind in ("number", "money", *dates) or fn in every)[:MAX_SUGGESTIONS]
