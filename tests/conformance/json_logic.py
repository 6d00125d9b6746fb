"""Translates the tests of json-logic: an `if` becomes a tag, a list of objects becomes events of a person."""

from __future__ import annotations

import itertools
from typing import Any

from tests.conformance.suite import Case, Question, Unsupported
from tests.semantics.world import Fact, ago, did, has

_SIGNS = {"==": "=", "===": "=", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ARITHMETIC = ("+", "-", "*", "/")
_LISTS = ("some", "all", "none")
_NO_TRUTH = "a value is not a condition: no value is truthy or falsy"
_NO_LIST = "the language has no list values"
_WHY = {
    "cat": "texts cannot be concatenated",
    "%": "there is no modulo operator",
    "max": "max and min aggregate a person's events and take no literals",
    "min": "max and min aggregate a person's events and take no literals",
    "merge": _NO_LIST,
    "filter": _NO_LIST,
    "map": _NO_LIST,
    "reduce": _NO_LIST,
    "missing_some": "unknown values cannot be counted",
}


def translate(case: Case) -> Question:
    rule, data = case.source
    facts = _facts(data)
    if data is not None and not isinstance(data, dict | list):
        raise Unsupported("a fact about a person always has a name")
    if isinstance(case.expected, list) and not _is(rule, "missing"):
        raise Unsupported(_WHY.get(next(iter(rule)), _NO_LIST) if isinstance(rule, dict) else _NO_LIST)
    if _is(rule, "if") or _is(rule, "?:"):
        return Question(_tag(next(iter(rule.values()))), case.expected, facts)
    if _is(rule, "missing"):
        return Question(_missing(rule["missing"], case.expected), True, facts)
    if _is(rule, "var") and case.expected is None:
        return Question(f"{_path(rule['var'])} is unknown", True, facts)
    if isinstance(case.expected, bool) and isinstance(rule, dict):
        return Question(_cond(rule), case.expected, facts)
    if isinstance(rule, dict) and next(iter(rule)) in ("and", "or", "!"):
        raise Unsupported(_NO_TRUTH)
    return Question(f"{_value(rule)} = {_value(case.expected)}", True, facts)


def _is(rule: Any, operator: str) -> bool:
    return isinstance(rule, dict) and operator in rule


def _facts(data: Any) -> list[Fact]:
    """Turns objects in lists into successive events, and other data into a map by path."""
    if not isinstance(data, dict):
        return []
    facts: list[Fact] = []
    for held in data.values():
        if isinstance(held, list):
            items = (item if isinstance(item, dict) else {"value": item} for item in held)
            facts += [
                did("items", ago("1d", n), **{k: v for k, v in item.items() if k != "name"})
                for n, item in enumerate(items)
            ]
    flat = dict(_flattened(data))
    return [*facts, has(held=flat)] if flat else facts


def _flattened(data: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, held in data.items():
        if isinstance(held, dict):
            flat += _flattened(held, f"{prefix}{name}.")
        elif held is not None and not isinstance(held, list):
            flat.append((prefix + name, held))
    return flat


def _arguments(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [held]


def _cond(rule: Any) -> str:
    if isinstance(rule, bool):
        return f"{'true' if rule else 'false'} = true"
    if not isinstance(rule, dict):
        raise Unsupported(_NO_TRUTH)
    ((operator, held),) = rule.items()
    arguments = _arguments(held)
    if operator in _SIGNS:
        values = [_value(argument) for argument in arguments]
        pairs = [f"{a} {_SIGNS[operator]} {b}" for a, b in itertools.pairwise(values)]
        return _joined(pairs, "and")
    if operator in ("and", "or"):
        return _joined([_cond(argument) for argument in arguments], operator)
    if operator == "!":
        return f"not ({_cond(arguments[0])})"
    if operator == "in":
        return _in(*arguments)
    if operator in _LISTS:
        return _of_items(operator, arguments[1])
    raise Unsupported(_WHY.get(operator, _NO_TRUTH))


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f" {word} ".join(f"({part})" for part in parts)


def _in(needle: Any, hay: Any) -> str:
    if isinstance(hay, list):
        return f"{_value(needle)} in [{', '.join(map(_value, hay))}]"
    return f"{_value(hay)} contains {_value(needle)}"


def _of_items(operator: str, rule: Any) -> str:
    """Translates a quantifier. In json-logic, `all` of no items is false."""
    holds = f"where ({_cond(rule)})"
    if operator == "all":
        return f"did items and did not items where (not ({_cond(rule)}))"
    return f"did {'not ' if operator == 'none' else ''}items {holds}"


def _value(rule: Any) -> str:
    if rule is None:
        raise Unsupported("there is no null: a missing value is unknown")
    if isinstance(rule, bool):
        return "true" if rule else "false"
    if isinstance(rule, int | float):
        return str(rule)
    if isinstance(rule, str):
        return "'" + rule.replace("'", "''") + "'"
    if isinstance(rule, list):
        raise Unsupported(_NO_LIST)
    ((operator, held),) = rule.items()
    arguments = _arguments(held)
    if operator == "var":
        return _path(held)
    if operator == "-" and len(arguments) == 1:
        return f"-{_value(arguments[0])}"
    if operator in _ARITHMETIC:
        return f" {operator} ".join(map(_value, arguments))
    raise Unsupported(_WHY.get(operator, _NO_TRUTH))


def _path(held: Any) -> str:
    name, *default = _arguments(held) or [""]
    if not isinstance(name, str) or name[:1].isdigit():
        raise Unsupported("list elements have no index")
    if name == "":
        return "value"
    path = name if name in ("qty", "sku") else f"held['{name}']"
    return f"({path} default {_value(default[0])})" if default else path


def _tag(arguments: list[Any]) -> str:
    if len(arguments) < 2:
        raise Unsupported(_NO_TRUTH)
    pairs = list(zip(arguments[::2], arguments[1::2], strict=False))
    tiers = [f"{_value(value)} when {_cond(when)}" for when, value in pairs]
    if len(arguments) % 2:
        tiers.append(f"else {_value(arguments[-1])}")
    return f"tag chosen: {'; '.join(tiers)}"


def _missing(held: Any, expected: list[str]) -> str:
    keys = _arguments(held)
    if not keys or not all(isinstance(key, str) for key in keys):
        raise Unsupported(_NO_LIST)
    asked = [f"{_path(key)} is {'unknown' if key in expected else 'known'}" for key in keys]
    return " and ".join(asked)
