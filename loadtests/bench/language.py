"""`python -m loadtests.bench.language`: measures parsing, completion, formatting and explanation of rules.

Prints the CPU time of one thread in milliseconds. The catalog has 2,000 attributes, 50 event types and an attribute
with 100,000 values.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from statistics import median

from quanyu.dsl import (
    Catalog,
    Clock,
    EventType,
    Field,
    Library,
    RuleError,
    check_and_bind,
    compile_condition,
    complete,
    explain,
    format_text,
)
from quanyu.dsl.model.catalog import Kind

ROUNDS = 15
NOW = Clock(1_795_339_800_000, "Asia/Shanghai", earliest_ms=1_700_000_000_000)
_KINDS: tuple[Kind, ...] = ("number", "text", "money", "date")

TEN_CLAUSES = """
city in ['city 7', 'city 70000'] and attribute_0004 > 3 and attribute_0008 between 1 and 5
and did event_1 at least 3 times in last 30d and did not event_2 in last 1 calendar month
and avg(event_3.amount in last 90d) > 60 and last_event_1 > 3d and attribute_0003 in next 30 calendar days
and count(event_4 where (amount > 5) in last 90d) / count(event_4 in last 90d) > 50%
and did (event_1 then event_2 within 2h without event_3) in last 90d
"""
CURSORS = {
    "an empty text": "",
    "part of a name": "attribute_1",
    "part of an alias": "属性12",
    "a value of 100,000": "city = ",
    "part of a value of 100,000": "city = 'city 777",
    "the middle of a ten-clause rule": f"{TEN_CLAUSES} and ",
    "inside `where`": "did event_1 where (",
}
HOSTILE = {
    "brackets": "(" * 100_000,
    "a long chain": "a = 1 and " * 10_000,
    "a long sum": "a" + " + a" * 24_000 + " > 1",
    "a long list": f"city in [{', '.join(['1'] * 33_000)}]",
    "nonsense": "did not at least in segment ] " * 3_300,
    "quotes": "'" * 100_000,
    "statements": "segment s: did event_1 ever\n" * 3_500,
}


def big_catalog() -> Catalog:
    attributes = [
        Field(f"attribute_{n:04}", kind, currency="CNY" if kind == "money" else "", aliases=(f"属性{n}",))
        for n, kind in ((n, _KINDS[n % 4]) for n in range(2_000))
    ]
    city = Field("city", "enum", values=tuple(f"city {n}" for n in range(100_000)), aliases=("城市",))
    amount = {"amount": Field("amount", "money", currency="CNY")}
    events = [EventType(f"event_{n}", amount, aliases=(f"事件{n}",)) for n in range(50)]
    return Catalog({e.name: e for e in events}, {f.name: f for f in [*attributes, city]}, channels=("pos", "web"))


def milliseconds(what: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Returns the CPU time of the first call and the median of the others, in milliseconds."""
    times = []
    for _ in range(rounds + 1):
        start = time.thread_time()
        what()
        times.append((time.thread_time() - start) * 1000)
    return times[0], median(times[1:])


def compile_text(text: str, catalog: Catalog) -> None:
    compile_condition(check_and_bind(text, catalog, Library()), Library(), catalog, NOW)


def try_to_compile(text: str, catalog: Catalog) -> None:
    with suppress(RuleError):
        compile_text(text, catalog)


def main() -> None:
    catalog, library = big_catalog(), Library()
    bound = check_and_bind(TEN_CLAUSES, catalog, library)
    _print_row("ten clauses: parse, check, compile", lambda: compile_text(TEN_CLAUSES, catalog))
    _print_row("ten clauses: format in Chinese", lambda: format_text(TEN_CLAUSES, catalog, library, "zh"))
    _print_row("ten clauses: explain", lambda: explain(bound, library, catalog, NOW))
    for name, text in CURSORS.items():
        _print_row(f"complete {name}", partial(complete, text, len(text), catalog, library))
    for name, text in HOSTILE.items():
        hostile = text[:100_000]
        check = partial(try_to_compile, hostile, catalog)
        _print_row(f"100 kB of {name}: check", check, 1)
        _print_row(f"100 kB of {name}: complete", partial(complete, hostile, len(hostile), catalog, library), 1)


def _print_row(name: str, what: Callable[[], object], rounds: int = ROUNDS) -> None:
    first, warm = milliseconds(what, rounds)
    print(f"{name:45} {warm:9.2f} ms (first {first:.1f})", flush=True)


if __name__ == "__main__":
    main()
