"""The base class of syntax tree nodes, and functions that walk a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Span:
    """The place of a node: line and column count from 1, start and end are offsets in the text."""

    line: int
    column: int
    start: int
    end: int


NO_SPAN = Span(1, 1, 0, 0)


@dataclass(frozen=True)
class Node:
    span: Span = field(default=NO_SPAN, compare=False, repr=False, kw_only=True)


def get_fields(node: Node) -> dict[str, Any]:
    """Returns the fields of a node by name, with its span."""
    return {f.name: getattr(node, f.name) for f in fields(node)}


def iter_children(node: Node) -> Iterator[Node]:
    """Yields the direct children of a node, in the order of the text."""
    for value in get_fields(node).values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Node):
                yield item


def walk(node: Node) -> Iterator[Node]:
    """Yields a node and all its descendants, in the order of the text."""
    yield node
    for child in iter_children(node):
        yield from walk(child)
