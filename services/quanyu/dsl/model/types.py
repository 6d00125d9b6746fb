"""The types of expressions, and which types can be combined."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from quanyu.dsl.model.catalog import Field, Kind

ExprKind = Kind | Literal["duration", "recency", "any"]


@dataclass(frozen=True)
class Type:
    """The type of an expression.

    A `literal` is written in the rule: a number can then be money, and a text a value of an enum. The kind `any` is a
    value of a map, whose entries have no declared type.
    """

    kind: ExprKind
    currency: str = ""
    values: tuple[str, ...] = ()
    ordered: bool = False
    literal: bool = False

    @property
    def family(self) -> str:
        """The group of kinds that can be compared with each other."""
        return {"enum": "text", "recency": "duration"}.get(self.kind, self.kind)

    @property
    def numeric(self) -> bool:
        return self.kind in ("number", "money", "any")

    def __str__(self) -> str:
        names = {"month_day": "month-day", "money": f"money ({self.currency})", "any": "value of a map"}
        return names.get(self.kind, self.kind)


NUMBER = Type("number")
BOOL = Type("bool")
INSTANT = Type("instant")
RECENCY = Type("recency")
UNTYPED = Type("any")


def type_of_field(field: Field) -> Type:
    return Type(field.kind, field.currency, field.values, field.ordered)


def can_unify(a: Type, b: Type) -> bool:
    """Returns whether both sides have a common type (C2). It avoids building enums with many values."""
    return a.family == b.family == "text" or unify(a, b) is not None


def unify(a: Type, b: Type) -> Type | None:
    """Returns the common type of both sides (C2), or None."""
    if a.kind == "any" or b.kind == "any":
        return b if a.kind == "any" else a
    if a.family == "text" and b.family == "text":
        return _unify_texts(a, b)
    if {a.kind, b.kind} == {"number", "money"}:
        money, number = (a, b) if a.kind == "money" else (b, a)
        return money if number.literal else None
    if a.family != b.family or a.currency != b.currency:
        return None
    return a if not a.literal and a.kind != "duration" else b


def _unify_texts(a: Type, b: Type) -> Type:
    if "text" in (t.kind for t in (a, b) if not t.literal):
        return Type("text")
    order = common_order(a, b)
    values = order or tuple(dict.fromkeys(a.values + b.values))
    return Type("enum", "", values, order is not None, a.literal and b.literal)


def common_order(a: Type, b: Type) -> tuple[str, ...] | None:
    """Returns the values of the ordered enum that contains both sides, lowest first, or None (C2)."""
    declared, other = (a, b) if a.ordered else (b, a)
    if not declared.ordered or not (other.kind == "any" or other.literal or other.ordered):
        return None
    order = tuple(map(nfkc, declared.values))
    theirs = tuple(map(nfkc, other.values))
    same = theirs == order if other.ordered else set(theirs) <= set(order)
    return order if same else None


@lru_cache(maxsize=64)
def nfkc_set(values: tuple[str, ...]) -> frozenset[str]:
    """Returns the values in the form in which texts are compared."""
    return frozenset(map(nfkc, values))


def nfkc(text: str) -> str:
    """Returns the form in which texts are compared (C7)."""
    return unicodedata.normalize("NFKC", text)


def arithmetic(op: str, a: Type, b: Type) -> Type | None:
    """Returns the type of `a op b` for numbers and money of one currency, or None if it has no meaning."""
    if not (a.numeric and b.numeric):
        return None
    a, b = (NUMBER if t.kind == "any" else t for t in (a, b))
    literal = a.literal and b.literal
    if op in "+-":
        return unify(a, b)
    if a.kind == b.kind == "money":
        return NUMBER if op == "/" and a.currency == b.currency else None
    if a.kind == "money" or (b.kind == "money" and op == "*"):
        return Type("money", a.currency or b.currency)
    return None if b.kind == "money" else Type("number", literal=literal)
