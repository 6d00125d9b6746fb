"""Infers the type of the value that a rule needs at a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

from lark import Token

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.completion.cursor import Cursor
from quanyu.dsl.errors import RuleError
from quanyu.dsl.model.types import Type, can_unify

_LISTS = ("IN", "_HAS_ANY", "_HAS_ALL", "_HAS_NONE")
_AFTER_LEFT = ("CMP", "EQUAL", "DEFAULT", "BETWEEN", "_STARTS_WITH", "_ENDS_WITH", "CONTAINS", "MATCHES")
_OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH")
_VALUES = get_args(s.Expr)
_NUMBERS = ("number", "money", "any")
_UNORDERED = ("text", "bool", "enum", "set", "map", "point")


@dataclass(frozen=True)
class ExpectedType:
    """The type that a value at the cursor must have. Without `type` and `kinds`, every type fits.

    `type`: the type of the other operand. `kinds`: the only kinds of types that fit.
    `is_ordered`: the operator compares by order. `is_between`: the value is an end of a `between`.
    `attribute`: the attribute of people, or `channel`, whose values these are.
    """

    type: Type | None = None
    kinds: tuple[str, ...] = ()
    is_ordered: bool = False
    is_between: bool = False
    attribute: str = ""

    def fits(self, other: Type) -> bool:
        """Tells whether a value of this type may be at the cursor (C2, C3, C4)."""
        own = self.type
        if self.kinds or own is None:
            return not self.kinds or other.kind in self.kinds
        if self.is_ordered and not (_has_order(own) and (_has_order(other) or other.literal)):
            return False
        if own.kind == "recency" and other.kind in ("date", "instant"):
            return self.is_between and other.literal
        if {own.kind, other.kind} == {"instant", "date"}:
            return True
        return can_unify(Type("enum") if own.kind == "set" else own, other)


def infer_expected_type(cursor: Cursor, scope: Scope) -> ExpectedType:
    """Infers the type from the operator and the operand before the cursor."""
    kinds = cursor.kinds
    if kinds[:1] == ("TEST",):
        return _bind(_find_test_name(cursor), scope)
    if kinds[-1:] == ("_ANNIVERSARY",):
        return ExpectedType(kinds=("date", "month_day"))
    if kinds[-2:] == ("DIST", "OF"):
        return ExpectedType(kinds=("point", "any"))
    if kinds[-2:] == ("TILE", "LPAR"):
        return ExpectedType(kinds=(*_NUMBERS, "date", "instant"))
    if kinds and kinds[-1] in _OPERATORS:
        return ExpectedType(kinds=_NUMBERS)
    at = _find_left_operand(kinds)
    is_between = "BETWEEN" in kinds[at:][:3]
    is_ordered = is_between or (kinds[-1:] == ("CMP",) and cursor.stack[-1] != "!=")
    return _bind(cursor.build_item(at), scope, is_ordered, is_between) if at >= 0 else ExpectedType()


def infer_type_before(cursor: Cursor, scope: Scope) -> ExpectedType:
    """Infers the type of the value before the cursor, which a window here would test. Skips `not` and `in`."""
    at = max((n for n, kind in enumerate(cursor.kinds) if kind not in ("NOT", "IN")), default=-1)
    if at < 0 or cursor.kinds[at - 1 : at] == ("DOT",):
        return ExpectedType()
    item = cursor.stack[at]
    is_name = isinstance(item, Token) and item.type == "NAME"
    return _bind(s.Path(s.Ref(str(item).strip("`"))) if is_name else cursor.build_item(at), scope)


def resolve_scope(cursor: Cursor, scope: Scope) -> Scope:
    """Returns the scope of the events in the innermost open `where`, or of an event in a test; else the given scope."""
    kinds = cursor.kinds
    at = find_last(kinds, "WHERE") - 1
    if kinds[:1] == ("TEST",) and find_last(kinds, "LBRACE") > find_last(kinds, "DID") > find_last(kinds, "GIVEN"):
        at = find_last(kinds, "DID") + 1
    if at < 0:
        return scope
    step = cursor.build_item(at)
    with suppress(RuleError, RecursionError):
        return scope.for_events(references.bind_events(step if isinstance(step, s.Ref) else step.ref, scope))
    return scope


def find_last(kinds: Sequence[str], kind: str) -> int:
    """Returns the index of the last item of a kind, or -1."""
    return max((n for n, other in enumerate(kinds) if other == kind), default=-1)


def _find_left_operand(kinds: Sequence[str]) -> int:
    """Returns the stack index of the left operand of the value at the cursor, or -1."""
    if not kinds or (kinds[0] in ("DEFINE", "METRIC") and len(kinds) == 3):
        return -1
    at = -1
    if kinds[-1] in _AFTER_LEFT:
        at = len(kinds) - 2
    elif kinds[-1] == "AND":
        opened = find_last(kinds, "BETWEEN")
        at = opened - 1 if not {"AND", "_and", "OR", "LPAR"} & set(kinds[opened + 1 : -1]) else -1
    elif kinds[-1] in ("LSQB", "COMMA"):
        opened = find_last(kinds, "LSQB")
        at = opened - 2 if kinds[opened - 1] in _LISTS else -1
    return at - 1 if at > 0 and kinds[at] == "NOT" else at


def _find_test_name(cursor: Cursor) -> s.Path | None:
    """Returns the name in a test whose value is at the cursor."""
    kinds = cursor.kinds
    at = max(find_last(kinds, "COLON"), find_last(kinds, "EQUAL"))
    in_list = "LSQB" in kinds[at:]
    if at < 1 or not (kinds[-1] in ("COLON", "EQUAL", "LSQB") or (kinds[-1] == "COMMA" and in_list)):
        return None
    return s.Path(s.Ref(str(cursor.stack[at - 1]).strip("`")))


def _has_order(kind: Type) -> bool:
    return kind.ordered or kind.kind not in _UNORDERED


def _bind(expr: object, scope: Scope, is_ordered: bool = False, is_between: bool = False) -> ExpectedType:
    with suppress(RuleError, RecursionError):
        if isinstance(expr, _VALUES):
            _, found = Conditions().expressions.bind(expr, scope)
            return ExpectedType(found, (), is_ordered, is_between, _find_attribute(expr, scope))
    return ExpectedType()


def _find_attribute(expr: s.Node, scope: Scope) -> str:
    meaning = names.resolve(expr, scope)[1] if isinstance(expr, s.Path) else None
    match meaning:
        case names.Channels():
            return "channel"
        case names.Attribute(field=field, key=None):
            return field.name
    return ""
