"""Translates simple conformance cases of CEL: a conditional becomes a tag, a timestamp an instant of the person."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from tests.conformance.suite import Case, Question, Unsupported
from tests.semantics.world import Fact, has

_REASONS = {
    r"(?:^| )b'": "there is no bytes type",
    r"\{": "maps cannot be compared as a whole and have no literals",
    r"^\[|== \[|\] [<>!=]|\[\]": "lists cannot be compared as a whole",
    r"\w\[|\]\[": "list elements have no index",
    r"\bnull\b": "there is no null: a missing value is unknown",
    r"\bsize\(": "the length of a text is not available",
    r"\b(int|string|type)\(": "there are no type conversions",
    r"\.get[A-Z]": "an instant has no parts: windows and `days` use local days",
    r"timestamp\(.*\) [-+] |\) [-+] (timestamp|duration)": "instants cannot be added: use a window instead",
    r"^(timestamp|duration)\('[^']*'\)$": "an instant is declared and checked at ingestion and has no literal",
    r"'[^']*' \+ ": "texts cannot be concatenated",
}
_METHODS = {"startsWith": "starts with", "endsWith": "ends with", "matches": "matches", "contains": "contains"}
_MINUTES = {7 * 24 * 60: "w", 24 * 60: "d", 60: "h", 1: "min"}


def translate(case: Case) -> Question:
    expression = str(case.source[1])
    for pattern, reason in _REASONS.items():
        if re.search(pattern, expression):
            raise Unsupported(reason)
    if " ? " in expression and "(" not in expression:
        return Question(_tag(re.split(r" \? | : ", expression)), case.expected)
    if not isinstance(case.expected, bool) and case.expected != "error":
        return Question(f"{_literal(expression)} = {_literal(str(case.expected))}", True)
    facts: list[Fact] = []
    return Question(_cond(_instants(expression, facts)), case.expected, facts)


def _tag(parts: list[str]) -> str:
    """Returns a tag from alternating conditions and values; the last value is that of `else`."""
    tiers = [f"{_literal(value)} when {_cond(when)}" for when, value in zip(parts[:-1:2], parts[1::2], strict=True)]
    return f"tag chosen: {'; '.join(tiers)}; else {_literal(parts[-1])}"


def _instants(expression: str, facts: list[Fact]) -> str:
    """Replaces the timestamps by the attributes t1 and t2 in their order."""
    values: dict[str, Any] = {}

    def named(found: re.Match[str]) -> str:
        moment = dt.datetime.fromisoformat(found[1].replace("Z", "+00:00"))
        values[f"t{len(values) + 1}"] = int(moment.timestamp()) * 1000
        return f"t{len(values)}"

    expression = re.sub(r"timestamp\('([^']*)'\)", named, expression)
    facts += [has(**values)] if values else []
    return re.sub(r"duration\('(\d+)s'\)", lambda found: _duration(int(found[1])), expression)


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if rest:
        raise Unsupported("durations are whole minutes")
    unit = next(unit for unit in _MINUTES if minutes % unit == 0)
    return f"{minutes // unit}{_MINUTES[unit]}"


def _cond(expression: str) -> str:
    """Translates `&&`, `||` and `!` of truth values and comparisons."""
    expression = re.sub(r"\((.*) \? false : true\)", r"!(\1)", expression)
    for sign, word in ((" || ", "or"), (" && ", "and")):
        if sign in expression:
            return f" {word} ".join(f"({_cond(part)})" for part in expression.split(sign))
    if expression.startswith("!") and not expression.startswith("!="):
        return f"not ({_cond(expression[1:].removeprefix('(').removesuffix(')'))})"
    method = re.fullmatch(r"('[^']*')\.(\w+)\(('[^']*')\)", expression)
    if method:
        return f"{method[1]} {_METHODS[method[2]]} {method[3]}"
    if expression in ("true", "false"):
        return f"{expression} = true"
    return _literal(expression).replace("==", "=")


def _literal(expression: str) -> str:
    """Writes numbers in decimal without a type suffix, and texts without raw form."""
    expression = re.sub(r"\br'", "'", expression)
    expression = re.sub(r"\b(\d+)u\b", r"\1", expression)
    return re.sub(r"(?<![\w'])(\d*\.?\d+)([eE][-+]?\d+)?(?![\w'])", lambda n: f"{Decimal(n[0]):f}", expression)
