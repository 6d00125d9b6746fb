"""Rules in English: one sentence for each top-level clause, with resolved instants and bound versions."""

from __future__ import annotations

import re
from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.catalog import Catalog
from quanyu.dsl.compiler import ResolvedWindow, compile_condition
from quanyu.dsl.formatter import format_rule
from quanyu.dsl.library import Bound, Library, Rule
from quanyu.dsl.windows import Clock

_HOUR_MS = 3_600_000


def explain(rule: Bound | s.Cond | Rule, library: Library, catalog: Catalog, clock: Clock) -> list[str]:
    """The sentences of a bound condition or statement, or of all statements of a bound text.

    A text that is not published yet is explained with a library that holds it: `library.publish(bound)`.
    """
    if isinstance(rule, Bound):
        parts = [rule.condition] if rule.condition is not None else list(rule.statements)
        return [line for part in parts for line in explain(part, library, catalog, clock)]  # type: ignore[arg-type]
    clauses = _Explainer(library, catalog, clock)
    match rule:
        case s.Define():
            return [f"{clauses.meaning(rule)}."]
        case s.Metric():
            return [clauses.sentence(clauses.meaning(rule), s.IsKnown(rule.expr))]
        case s.Segment():
            among = f" (only among {format_rule(s.InSegment(rule.among))})" if rule.among else ""
            return [line.removesuffix(".") + f"{among}." for line in clauses.condition(rule.cond)]
        case s.Tag():
            lines = [
                clauses.sentence(f"{format_rule(tier.value)} when {format_rule(tier.when)}", tier.when)
                for tier in rule.tiers
            ]
            otherwise = "unknown" if rule.otherwise is None else format_rule(rule.otherwise)
            return [*lines, f"otherwise, also where a tier is unknown, {otherwise}."]
    return clauses.condition(rule)


class _Explainer:
    def __init__(self, library: Library, catalog: Catalog, clock: Clock) -> None:
        self._library, self._catalog, self._clock = library, catalog, clock

    def condition(self, cond: s.Cond) -> list[str]:
        parts = cond.of if isinstance(cond, (s.AllOf, s.AnyOf)) else (cond,)
        joint = "or" if isinstance(cond, s.AnyOf) else "and"
        words = [format_rule(part) if n == 0 else f"{joint} {format_rule(part)}" for n, part in enumerate(parts)]
        return [self.sentence(text, part) for text, part in zip(words, parts, strict=True)]

    def sentence(self, text: str, cond: s.Cond) -> str:
        """The clause, then every window as instants, then what its names mean."""
        compiled = compile_condition(cond, self._library, self._catalog, self._clock)
        windows = [self._window(window) for window in compiled.windows]
        named = [self._library.get(*_name_version(version)) for version in compiled.versions]
        meanings = [self.meaning(found) for found in named if isinstance(found, (s.Define, s.Metric))]
        return "; ".join([text, *windows, *(meaning for meaning in meanings if meaning != text), *_remarks(cond)]) + "."

    def meaning(self, rule: s.Define | s.Metric) -> str:
        """`touch@2 is order or scan`"""
        return format_rule(rule).partition(" ")[2].replace(" = ", " is ", 1)

    def _window(self, window: ResolvedWindow) -> str:
        zone = self._clock.zone
        start, end = self._instant(window.from_ms), self._instant(window.to_ms)
        if window.from_ms is None or window.to_ms is None:
            reach = f"before {end}" if window.from_ms is None else f"from {start} on"
            return f"`{window.text}` is {reach} ({zone})"
        if start == end and window.text.startswith("was in segment"):
            return f"`{window.text}` is asked of {start} ({zone})"
        length = self._length(window.text, window.from_ms, window.to_ms)
        return f"`{window.text}` is from {start} to {end} ({zone}{length})"

    def _length(self, text: str, start: int, end: int) -> str:
        """What tells 30d from a calendar month: exact hours, or whole local days."""
        clock = self._clock
        first, last = clock.day_of(start), clock.day_of(end - 1)
        is_elapsed = re.search(r"\d(min|h|d|w)\b", text)
        if not is_elapsed and clock.day_ms(first) == start and clock.day_of(end) != last:
            return f", the whole local days {first} to {last}"
        hours, rest = divmod(end - start, _HOUR_MS)
        return f", exactly {hours} hours" if rest == 0 and end == clock.as_of_ms else ""

    def _instant(self, ms: int | None) -> str:
        if ms is None:
            return ""
        return self._clock.local(ms).replace(tzinfo=None).isoformat(" ", "milliseconds").removesuffix(".000")


def _remarks(cond: s.Cond) -> list[str]:
    """What is easily misread."""
    remarks = []
    for node in s.walk(cond):
        if isinstance(node, (s.Entered, s.Left)):
            remarks.append("only both ends of its window are looked at, not what happened between (M3)")
        elif isinstance(node, s.DidNot) and isinstance(node.happening.window, s.Repeat):
            offer = _each_without(node.happening)
            instead = f": of each unit it is said by `{offer}` (E7)" if offer else " (E7)"
            remarks.append(f"`did not` denies the whole{instead}")
    return list(dict.fromkeys(remarks))


def _each_without(happening: s.Happening) -> str:
    """What `did not` may be taken for: so many units that are without."""
    if not isinstance(happening, s.Event):
        return ""
    match happening.times:
        case None | s.AtLeast(number=1):
            times: s.Times = s.Exactly(0)
        case s.AtLeast(number=number) if number > 1:
            times = s.AtMost(number - 1)
        case s.AtMost(number=number):
            times = s.AtLeast(number + 1)
        case _:
            return ""
    return format_rule(s.Did(replace(happening, times=times)))


def _name_version(label: str) -> tuple[str, int]:
    name, _, version = label.partition("@")
    return name, int(version)
