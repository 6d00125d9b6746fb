"""Combines the roots of compiled rules into sets of people: differences, overlaps and funnels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.nodes import Cond, Root


def clauses_of_root(root: Root) -> tuple[Cond, ...]:
    """Returns the conditions that the engine counts one by one."""
    return root.cond.of if isinstance(root.cond, nodes.AllOf | nodes.AnyOf) else (root.cond,)


def required_clauses(root: Root) -> list[Root]:
    """Returns a root for each clause that must hold; empty where one clause is enough."""
    if isinstance(root.cond, nodes.AnyOf):
        return []
    return [replace(root, cond=clause) for clause in clauses_of_root(root)]


def funnel_roots(root: Root) -> list[Root]:
    """Returns roots of the people left after the first required clause, after the first two, and so on."""
    return list(accumulate(required_clauses(root), lambda left, clause: replace(root, cond=_both(left, clause))))


def moved_roots(old: Sequence[Root], new: Sequence[Root]) -> list[Root]:
    """Returns three roots: the people in the new set only, in the old set only, and in both.

    Each set is the people of any of its roots.
    """
    before, after = _any_of(old), _any_of(new)
    return [
        _people_root(after, nodes.Not(before)),
        _people_root(before, nodes.Not(after)),
        _people_root(before, after),
    ]


def exclusive_root(inside: Sequence[Root], outside: Sequence[Root]) -> Root:
    """Returns a root of the people in all of the first sets and in none of the others."""
    return _people_root(*map(_members, inside), *(nodes.Not(_members(root)) for root in outside))


def _members(root: Root) -> Cond:
    return nodes.Members(root.cond, root.among)


def _any_of(roots: Sequence[Root]) -> Cond:
    if not roots:
        return nodes.Constant(False)
    return _members(roots[0]) if len(roots) == 1 else nodes.AnyOf(tuple(map(_members, roots)))


def _people_root(*conditions: Cond) -> Root:
    return Root("people", nodes.AllOf(conditions), None)


def _both(first: Root, second: Root) -> Cond:
    return nodes.AllOf((first.cond, second.cond))
