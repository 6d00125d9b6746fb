"""Translates ClickHouse tests of windowFunnel and sequenceMatch: a row becomes an event, a second a minute."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.conformance.suite import HERE, Case, Question, Unsupported
from tests.semantics.world import Fact, ago, did

_MINUTE = 60_000
TABLES: dict[str, Any] = yaml.safe_load((HERE / "clickhouse_tables.yaml").read_text(encoding="utf-8"))
_QUERY = re.compile(
    r"(windowFunnel|sequenceMatch|sequenceCount)\(('[^']*'|\d+(?:, '\w+')*)\)\((.*)\) (?:as \w+ )?from (\w+)",
    re.IGNORECASE,
)
_STRICT = "`without` names the forbidden events; there is no way to forbid all other events"


def translate(case: Case) -> Question:
    """Translates a case: `source` is [query, user or null], `expected` the funnel level, or 1 or 0 for a match."""
    query, user = case.source
    found = _QUERY.fullmatch(query)
    assert found, query
    name, options, arguments, table = found.groups()
    steps = [f"{table} where ({_condition(step)})" for step in _split(arguments)[1:]]
    facts, span = _events(table, user)
    if name == "windowFunnel":
        return Question(_funnel(options, steps, span, case.expected), True, facts)
    if name == "sequenceCount":
        raise Unsupported("occurrences of a sequence cannot be counted")
    return Question(_match(options.strip("'"), steps), bool(case.expected), facts)


def _split(arguments: str) -> list[str]:
    """Splits at the commas outside brackets and quotes."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", arguments)]


def _condition(sql: str) -> str:
    sql = re.sub(r"COALESCE\((\w+), ''\)", r"\1", sql)
    return sql.replace("is null", "is unknown")


def _events(table: str, user: int | None) -> tuple[list[Fact], int]:
    """Returns the rows of the user as events, and the time span of all rows."""
    rows = TABLES[table]["rows"]
    columns = TABLES[table]["columns"]
    times = [row[0] for row in rows]
    facts = [
        did(table, ago("10d") + (row[0] - min(times)) * _MINUTE, **_values(columns, row))
        for row in rows
        if user is None or row[columns.index("user")] == user
    ]
    return facts, max(times) - min(times)


def _values(columns: list[str], row: list[Any]) -> dict[str, Any]:
    held = dict(zip(columns, row, strict=True))
    return {name: value for name, value in held.items() if name not in ("time", "user") and value is not None}


def _funnel(options: str, steps: list[str], span: int, level: int) -> str:
    """Returns a condition: the first `level` steps happened in order, and the next one did not."""
    window, *modes = options.split(", ")
    if int(window) < span:
        raise Unsupported("a rule can limit each gap and the window, but not the duration of the whole chain")
    if any("strict_order" in mode or "strict_dedup" in mode or "reentry" in mode for mode in modes):
        raise Unsupported(_STRICT)
    reached = [_chain(steps[:level])] if level else []
    beyond = [f"not ({_chain(steps[: level + 1])})"] if level < len(steps) else []
    return " and ".join([*reached, *beyond])


def _chain(steps: list[str]) -> str:
    return f"did {steps[0]}" if len(steps) == 1 else f"did ({' then '.join(steps)})"


def _match(pattern: str, steps: list[str]) -> str:
    """Translates a pattern. Between two adjacent steps there is no event that any condition describes."""
    parts = re.findall(r"\(\?(\d+)\)|\(\?t([<>=]+)(\d+)\)|(\.\*)|(\.)", pattern)
    if not any(step for step, *_ in parts) or any(dot for *_, dot in parts):
        raise Unsupported("no step matches every event")
    chain, gap, is_apart = "", "", False
    for step, sign, seconds, anything, _ in parts:
        if step and not chain:
            chain = steps[int(step) - 1]
        elif step:
            forbidden = "" if is_apart else "".join(f" without {other}" for other in steps)
            chain += f"{forbidden} then {steps[int(step) - 1]}{gap}"
            gap, is_apart = "", False
        elif sign:
            gap, is_apart = _gap(sign, int(seconds)), True
        elif anything:
            is_apart = True
    return f"did ({chain})" if " then " in chain else f"did {chain}"


def _gap(sign: str, seconds: int) -> str:
    """Translates a gap. Times are whole seconds, so more than ten is at least eleven."""
    bound = {">": seconds + 1, ">=": seconds, "<": seconds - 1, "<=": seconds}[sign]
    return f" {'after' if sign.startswith('>') else 'within'} {bound}min"
