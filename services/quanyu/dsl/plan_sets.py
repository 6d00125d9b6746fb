"""Sets of people made of the roots of compiled rules: who is in one and not in another, who is left after a clause."""

from __future__ import annotations

from collections.abc import Sequence

from quanyu.dsl.plan_values import Json


def funnel(root: Json) -> list[Json]:
    """For a root whose clauses must all hold: those left after its first clause, its first two, and so on to the last.

    Empty where one clause is enough.
    """
    cond = root["cond"]
    if cond["op"] == "any":
        return []
    clauses = cond["of"] if cond["op"] == "all" else [cond]
    steps = range(1, len(clauses) + 1)
    return [{**root, "name": f"after {n}", "cond": {"op": "all", "of": clauses[:n]}} for n in steps]


def moves(new: Json | None, old: Json | None) -> list[Json]:
    """Two roots: those who are in the new and not in the old, and those the other way round. None holds nobody."""
    return [_root([new], [old]), _root([old], [new])]


def pattern(inside: Sequence[Json], outside: Sequence[Json]) -> Json:
    """Those who are in all of the one and in none of the other; each of them is a root."""
    return _root(inside, outside)


def _root(inside: Sequence[Json | None], outside: Sequence[Json | None]) -> Json:
    parts = [_people(root) for root in inside] + [{"op": "not", "of": _people(root)} for root in outside]
    return {"name": "people", "cond": {"op": "all", "of": parts}, "among": None}


def _people(root: Json | None) -> Json:
    if root is None:
        return {"op": "constant", "value": False}
    return {"op": "set", "of": root["cond"], "among": root["among"]}
