"""Finds the values that a condition compares."""

from __future__ import annotations

from collections.abc import Iterator

from quanyu.dsl import syntax as s


def subjects(cond: s.Cond) -> list[s.Expr]:
    """Returns the values that a condition compares, and those that they are computed from, each once."""
    found: list[s.Expr] = []
    for child in s.iter_children(cond):
        found += _parts_of(child)
    return list(dict.fromkeys(found))


def _parts_of(node: s.Node) -> Iterator[s.Expr]:
    match node:
        case s.Path() | s.Aggregate():
            yield node
        case s.Arithmetic(left=left, right=right):
            yield node
            yield from (*_parts_of(left), *_parts_of(right))
        case s.Default(expr=expr, otherwise=otherwise):
            yield from (*_parts_of(expr), *_parts_of(otherwise))
        case s.Tile(expr=expr):
            yield node
            yield from _parts_of(expr)
