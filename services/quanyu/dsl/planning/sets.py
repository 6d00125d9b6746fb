"""Sets of people made of the roots of compiled rules: who is in one and not in another, who is left after a clause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from quanyu.dsl.planning.values import Json


def required(root: Json) -> list[Json]:
    """The clauses of a root that must all hold, each a root; empty where one clause is enough."""
    cond = root["cond"]
    if cond["op"] == "any":
        return []
    return [{**root, "cond": clause} for clause in (cond["of"] if cond["op"] == "all" else [cond])]


def funnel(root: Json) -> list[Json]:
    """Those left after the first clause that must hold, after the first two, and so on to the last."""
    return list(accumulate(required(root), lambda left, clause: {**root, "cond": _both(left["cond"], clause["cond"])}))


def moves(old: Sequence[Json], new: Sequence[Json]) -> list[Json]:
    """Three roots: those who are in the new set and not in the old, the other way round, and those who are in both.

    Each set is the people of any of its roots.
    """
    before, after = _any_of(old), _any_of(new)
    return [_all_of(after, _not(before)), _all_of(before, _not(after)), _all_of(before, after)]


def pattern(inside: Sequence[Json], outside: Sequence[Json]) -> Json:
    """Those who are in all of the one and in none of the other; each of them is a root."""
    return _all_of(*map(_people, inside), *(_not(_people(root)) for root in outside))


def _people(root: Json) -> Json:
    return {"op": "set", "of": root["cond"], "among": root["among"]}


def _any_of(roots: Sequence[Json]) -> Json:
    if not roots:
        return {"op": "constant", "value": False}
    return _people(roots[0]) if len(roots) == 1 else {"op": "any", "of": [_people(root) for root in roots]}


def _all_of(*conditions: Json) -> Json:
    return {"name": "people", "cond": {"op": "all", "of": list(conditions)}, "among": None}


def _both(first: Json, second: Json) -> Json:
    return {"op": "all", "of": [first, second]}


def _not(condition: Json) -> Json:
    return {"op": "not", "of": condition}
