"""Binds expressions and determines their types. Bare words become values (N1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import corrections, names, references
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.errors import RuleError
from quanyu.dsl.model.types import (
    BOOL,
    INSTANT,
    NUMBER,
    RECENCY,
    UNTYPED,
    Type,
    arithmetic,
    nfkc,
    nfkc_set,
    type_of_field,
    unify,
)

_NEED_NUMBERS = ("sum", "avg", "median")
_NEED_PROPERTY = (*_NEED_NUMBERS, "min", "max", "distinct", "most")


class Expressions:
    """Binds expressions. `cond` binds the condition of a `where`."""

    def __init__(self, cond: Callable[[s.Cond, Scope], s.Cond]) -> None:
        self._cond = cond

    def bind(self, node: s.Expr, scope: Scope) -> tuple[s.Expr, Type]:
        """Returns the value with every name bound, and its type."""
        match node:
            case s.Number() | s.Percent():
                _reject_fine(node)
                return node, Type("number", literal=True)
            case s.Text(value=value):
                return node, Type("text", values=(nfkc(value),), literal=True)
            case s.Boolean():
                return node, BOOL
            case s.Duration():
                return node, Type("duration", literal=True)
            case s.Date():
                return node, Type("date", literal=True)
            case s.DateTime():
                return node, Type("instant", literal=True)
            case s.Path():
                path, meaning = names.resolve(node, scope)
                return path, self.type_of(path, meaning, scope)
            case s.Arithmetic():
                return self._arith(node, scope)
            case s.Default():
                return self._default(node, scope)
            case s.Aggregate():
                return self._aggregate(node, scope)
            case s.Tile():
                return self._tile(node, scope)

    def bind_beside(self, node: s.Expr, beside: Type, scope: Scope, sign: str | None = None) -> tuple[s.Expr, Type]:
        """Binds the right side of a comparison or `default`, or a list item. A bare word may be a value there (N1)."""
        if not isinstance(node, s.Path) or node.keys or node.ref.version or node.ref.quoted:
            return self.bind(node, scope)
        word = node.ref.name
        is_value = nfkc(word) in nfkc_set(beside.values)
        if is_value and names.is_value_name(node, scope):
            message = f"`{word}` is both a value and a name: write which one you mean"
            raise RuleError.at(node.span, "name", message, f"'{word}'", f"`{word}`")
        if is_value:
            return self.bind(s.Text(word, span=node.span), scope)
        absent = corrections.suggest_unknown_test(word, sign)
        if absent and not names.is_value_name(node, scope):
            message = f"`{word}` is not a value: test for a missing value with `is known` or `is unknown` (U2)"
            raise RuleError.at(node.span, "name", message, *absent)
        if beside.family in ("text", "set", "any") and not names.is_value_name(node, scope):
            near = references.nearest(word, [*beside.values, *names.value_names(scope)])
            offered = [f"'{near_by}'" if near_by in beside.values else near_by for near_by in near]
            message = f"`{word}` is neither a declared value nor a name; write free text in quotes"
            raise RuleError.at(node.span, "name", message, *offered, f"'{word}'")
        return self.bind(node, scope)

    def type_of(self, path: s.Path, meaning: names.Meaning, scope: Scope) -> Type:
        match meaning:
            case names.Attribute(field=declared, key=key):
                return type_of_field(declared) if key is None else UNTYPED
            case names.Channels():
                return Type("set", values=scope.catalog.channels)
            case names.EventChannel():
                return Type("enum", values=scope.catalog.channels)
            case names.Seen() | names.Recency():
                return RECENCY
            case names.RuleValue(ref=ref):
                return self._type_of_rule(ref, scope)
            case names.Property(keys=keys):
                assert scope.step is not None
                return self.type_of_property(path.span, keys, scope.step.types, scope)

    def _type_of_rule(self, ref: s.Ref, scope: Scope) -> Type:
        """Returns the type of a metric's expression or a tag's tiers. Results are cached, because rules share rules."""
        key = ("type", ref.name, ref.version)
        if key not in scope.memo:
            rule = scope.rules.get(ref.name, ref.version or 1)
            if isinstance(rule, s.Metric):
                scope.memo[key] = replace(self.bind(rule.expr, scope.for_person())[1], literal=False)
            elif isinstance(rule, s.Tag):
                scope.memo[key] = self.type_of_tag(rule, scope)
        found: Type = scope.memo[key]
        return found

    def type_of_tag(self, tag: s.Tag, scope: Scope) -> Type:
        """Returns the common type of the tiers (X2). Texts become the values of an enum."""
        values = [tier.value for tier in tag.tiers] + ([tag.otherwise] if tag.otherwise else [])
        kinds = [self.bind(value, scope)[1] for value in values]
        for value, kind in zip(values, kinds, strict=True):
            if kind.kind != kinds[0].kind:
                message = f"the tiers of a tag must have one type: this is {kind}, but the first is {kinds[0]} (X2)"
                raise RuleError.at(value.span, "type", message, *corrections.suggest_values(value, kinds[0]))
        if kinds[0].kind != "text":
            return replace(kinds[0], literal=False)
        return Type("enum", values=tuple(dict.fromkeys(value for kind in kinds for value in kind.values)))

    def type_of_property(self, span: s.Span, keys: tuple[str, ...], types: tuple[str, ...], scope: Scope) -> Type:
        if keys == ("channel",):
            return Type("enum", values=scope.catalog.channels)
        path = tuple(s.Key(key, span=span) for key in keys)
        found = [type_of_field(names.property_fields(path, t, scope)[-1][1]) for t in types]
        for other, event_type in zip(found, types, strict=True):
            if (other.kind, other.currency) != (found[0].kind, found[0].currency):
                message = f"`{'.'.join(keys)}` is {found[0]} in {types[0]} and {other} in {event_type}"
                raise RuleError.at(span, "type", message)
        ordered = all(other.ordered and other.values == found[0].values for other in found)
        values = tuple(dict.fromkeys(value for t in found for value in t.values))
        return replace(found[0], values=values, ordered=ordered)

    def _arith(self, node: s.Arithmetic, scope: Scope) -> tuple[s.Expr, Type]:
        left, a = self.bind(node.left, scope)
        right, b = self.bind(node.right, scope)
        kind = arithmetic(node.op, a, b)
        if kind is None:
            raise RuleError.at(node.span, "type", f"{a} {node.op} {b} has no meaning")
        return replace(node, left=left, right=right), kind

    def _default(self, node: s.Default, scope: Scope) -> tuple[s.Expr, Type]:
        left, a = self.bind(node.expr, scope)
        right, b = self.bind_beside(node.otherwise, a, scope)
        kind = unify(a, b)
        if kind is None:
            raise RuleError.at(
                node.otherwise.span, "type", f"this is {b}, but a default for {a} must have the same type (G3)"
            )
        if "recency" in (a.kind, b.kind):
            kind = RECENCY
        return replace(node, expr=left, otherwise=right), replace(kind, literal=False)

    def _aggregate(self, node: s.Aggregate, scope: Scope) -> tuple[s.Expr, Type]:
        names.reject_bare_property(node.path.ref, scope)
        ref = references.bind_events(node.path.ref, scope)
        inside = scope.for_person().for_events(ref)
        assert inside.step is not None
        keys = names.property_keys(node.path.keys, inside.step.types, scope) if node.path.keys else ()
        path = s.Path(ref, tuple(s.Key(k, span=w.span) for k, w in zip(keys, node.path.keys, strict=True)))
        path = replace(path, span=node.path.span)
        value = self.type_of_property(node.path.span, keys, inside.step.types, scope) if keys else None
        where = self._cond(node.where, inside) if node.where else None
        return replace(node, path=path, where=where), self._type_of_aggregate(node, value, inside.step.types, scope)

    def _type_of_aggregate(self, node: s.Aggregate, value: Type | None, types: tuple[str, ...], scope: Scope) -> Type:
        fn = node.fn
        fields = scope.catalog.event_types[types[0]].properties.values()
        fit = [f"{fn}({node.path.ref.name}.{name})" for name in corrections.properties_for_aggregate(fn, fields)]
        if value is None and fn in _NEED_PROPERTY:
            raise RuleError.at(node.span, "type", f"{fn} needs a property of the event (A4)", *fit)
        if value is not None and not has_aggregate(fn, value):
            raise RuleError.at(node.span, "type", f"{fn} of {value} has no meaning (A9)", *fit)
        if fn in ("count", "days", "distinct"):
            return NUMBER
        return value or INSTANT

    def _tile(self, node: s.Tile, scope: Scope) -> tuple[s.Expr, Type]:
        if scope.step is not None:
            raise RuleError.at(node.span, "scope", f"{node.fn} ranks people, so it cannot be used inside `where` (E9)")
        expr, kind = self.bind(node.expr, scope)
        reject_unranked(node.expr, kind)
        among = references.bind_segment(node.among, scope) if node.among else None
        return replace(node, expr=expr, among=among), NUMBER


def has_aggregate(fn: str, value: Type) -> bool:
    """Returns whether the aggregate accepts values of this type (A9)."""
    if fn in ("min", "max"):
        return value.numeric or value.kind in ("date", "instant")
    return value.numeric if fn in _NEED_NUMBERS else value.kind not in ("set", "map", "point")


def reject_unranked(expr: s.Expr, kind: Type, instead: Sequence[str] = ()) -> None:
    """Rejects values that cannot be ranked: only numbers, money and points in time can (R9)."""
    if kind.family == "duration":
        name = expr.ref.name.partition("_")[2] if isinstance(expr, s.Path) else "order"
        message = "a recency cannot be ranked, because its top would be the longest ago (R9)"
        raise RuleError.at(expr.span, "type", message, *(instead or [f"latest({name})"]))
    if not kind.numeric and kind.kind not in ("date", "instant"):
        raise RuleError.at(expr.span, "type", f"{kind} cannot be ranked")


def _reject_fine(node: s.Number | s.Percent) -> None:
    """Rejects numbers outside the supported range and precision (A7)."""
    value = node.fraction if isinstance(node, s.Percent) else node.value
    if abs(value) > 9 * 10**12:
        raise RuleError.at(node.span, "value", "a number must be within ±9,000,000,000,000 (A7)")
    if value != value.quantize(Decimal("0.000001")):
        raise RuleError.at(node.span, "value", "a number has at most six digits after the point (A7)")
