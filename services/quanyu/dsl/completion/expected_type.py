"""What a value at a cursor stands beside: which types may stand there, and whose values."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

from lark import Token

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.names import Scope
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
    """`type` of what stands on the other side, `kinds` that may stand here alone; nothing said: anything may.

    `in_order`: the two are compared by order. `counted`: the attribute of people, or `channel`, whose values these are.
    """

    type: Type | None = None
    kinds: tuple[str, ...] = ()
    in_order: bool = False
    is_between: bool = False
    counted: str = ""

    def fits(self, other: Type) -> bool:
        """Whether such a value may stand here (C2, C3, C4)."""
        mine = self.type
        if self.kinds or mine is None:
            return not self.kinds or other.kind in self.kinds
        if self.in_order and not (_has_order(mine) and (_has_order(other) or other.literal)):
            return False
        if mine.kind == "recency" and other.kind in ("date", "instant"):
            return self.is_between and other.literal
        if {mine.kind, other.kind} == {"instant", "date"}:
            return True
        return can_unify(Type("enum") if mine.kind == "set" else mine, other)


def infer_expected_type(cursor: Cursor, scope: Scope) -> ExpectedType:
    """Of the cursor's place."""
    kinds = cursor.kinds
    if kinds[:1] == ("TEST",):
        return _bound(_of_test(cursor), scope)
    if kinds[-1:] == ("_ANNIVERSARY",):
        return ExpectedType(kinds=("date", "month_day"))
    if kinds[-2:] == ("DIST", "OF"):
        return ExpectedType(kinds=("point", "any"))
    if kinds[-2:] == ("TILE", "LPAR"):
        return ExpectedType(kinds=(*_NUMBERS, "date", "instant"))
    if kinds and kinds[-1] in _OPERATORS:
        return ExpectedType(kinds=_NUMBERS)
    at = _left(kinds)
    is_between = "BETWEEN" in kinds[at:][:3]
    in_order = is_between or (kinds[-1:] == ("CMP",) and cursor.stack[-1] != "!=")
    return _bound(cursor.built(at), scope, in_order, is_between) if at >= 0 else ExpectedType()


def infer_type_before(cursor: Cursor, scope: Scope) -> ExpectedType:
    """Of the value that has just been read, before a `not` or `in`: what a window here would be about."""
    at = max((n for n, kind in enumerate(cursor.kinds) if kind not in ("NOT", "IN")), default=-1)
    if at < 0 or cursor.kinds[at - 1 : at] == ("DOT",):
        return ExpectedType()
    item = cursor.stack[at]
    named = isinstance(item, Token) and item.type == "NAME"
    return _bound(s.Path(s.Ref(str(item).strip("`"))) if named else cursor.built(at), scope)


def resolve_scope(cursor: Cursor, scope: Scope) -> Scope:
    """Inside the innermost `where` that is open, or an event whose properties a test gives; else as it was."""
    kinds = cursor.kinds
    at = find_last(kinds, "WHERE") - 1
    if kinds[:1] == ("TEST",) and find_last(kinds, "LBRACE") > find_last(kinds, "DID") > find_last(kinds, "GIVEN"):
        at = find_last(kinds, "DID") + 1
    if at < 0:
        return scope
    step = cursor.built(at)
    with suppress(RuleError, RecursionError):
        return scope.for_events(names.bind_events(step if isinstance(step, s.Ref) else step.ref, scope))
    return scope


def find_last(kinds: Sequence[str], kind: str) -> int:
    """Where the last one stands; -1 if there is none."""
    return max((n for n, other in enumerate(kinds) if other == kind), default=-1)


def _left(kinds: Sequence[str]) -> int:
    """Where on the stack the value stands that the cursor's is compared with; -1 if there is none."""
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


def _of_test(cursor: Cursor) -> s.Path | None:
    """The name whose value is given or expected."""
    kinds = cursor.kinds
    at = max(find_last(kinds, "COLON"), find_last(kinds, "EQUAL"))
    in_list = "LSQB" in kinds[at:]
    if at < 1 or not (kinds[-1] in ("COLON", "EQUAL", "LSQB") or (kinds[-1] == "COMMA" and in_list)):
        return None
    return s.Path(s.Ref(str(cursor.stack[at - 1]).strip("`")))


def _has_order(kind: Type) -> bool:
    return kind.ordered or kind.kind not in _UNORDERED


def _bound(expr: object, scope: Scope, in_order: bool = False, is_between: bool = False) -> ExpectedType:
    with suppress(RuleError, RecursionError):
        if isinstance(expr, _VALUES):
            _, found = Conditions().expressions.bind(expr, scope)
            return ExpectedType(found, (), in_order, is_between, _counted(expr, scope))
    return ExpectedType()


def _counted(expr: s.Node, scope: Scope) -> str:
    meaning = names.resolve(expr, scope)[1] if isinstance(expr, s.Path) else None
    match meaning:
        case names.Channels():
            return "channel"
        case names.Attribute(field=field, key=None):
            return field.name
    return ""
