"""Evaluates rules one person and one event at a time, in three-valued logic (None is unknown).

The evaluator reads the syntax tree and plain rows. It uses no plans, bitmaps or blocks.
"""

from __future__ import annotations

import copy
import datetime as dt
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import xxhash

from quanyu.dsl import syntax as s
from tests.oracle.evaluator.calendar import LocalCalendar
from tests.oracle.evaluator.event_patterns import in_units, matches_pattern
from tests.oracle.evaluator.scopes import EventScope, PersonScope, Scope
from tests.oracle.evaluator.values import (
    Duration,
    Tri,
    aggregate_values,
    all_of,
    any_of,
    arithmetic,
    haversine,
    negate,
    nfkc,
)
from tests.oracle.evaluator.windows import FAR, Windows
from tests.oracle.world import LEVELS, Event, Instant, World


class Oracle:
    """The evaluator of one world. `library` holds statements by name, `oneid` the OneID of each person."""

    def __init__(self, world: World, library: dict[str, Any], oneid: dict[int, int]) -> None:
        self.world, self.library, self.oneid, self.as_of = world, library, oneid, world.as_of
        self.calendar = LocalCalendar(world.zone, world.day_start, world.week_start)
        self.events = {p: world.events(p) for p in world.people()}
        self.changes = {p: world.changes(p) for p in world.people()}
        self.instants: dict[int, Oracle] = {self.as_of: self}
        self.reset()

    def reset(self) -> None:
        self.windows = Windows(self.calendar, self.as_of)
        self.universe = [p for p in self.world.people() if self.first_record(p) < self.as_of]
        self.cache: dict[Any, Any] = {}

    def at(self, as_of: int) -> Oracle:
        """Returns the evaluator of the same world as of another instant (M7)."""
        if as_of not in self.instants:
            other = copy.copy(self)
            other.as_of = as_of
            other.reset()
            self.instants[as_of] = other
        return self.instants[as_of]

    def first_record(self, person: int) -> int:
        return min(record.at for record in [*self.events[person], *self.changes[person]])

    def rule(self, cond: Any, among: str | None = None, name: str = "") -> tuple[set[int], set[int]]:
        """Returns the people of the population for whom a condition is true, and those for whom it is unknown."""
        population = sorted(self.segment(among)) if among else self.universe
        verdicts = {p: self.cond(cond, PersonScope(self, p, population, name)) for p in population}
        return {p for p, v in verdicts.items() if v is True}, {p for p, v in verdicts.items() if v is None}

    def segment(self, name: str) -> set[int]:
        if name not in self.cache:
            segment = self.library[name]
            self.cache[name] = self.rule(segment.cond, segment.among and segment.among.name, name)[0]
        return self.cache[name]

    def tag(self, name: str, person: int) -> Any:
        scope = PersonScope(self, person, self.universe, name)
        for tier in self.library[name].tiers:
            if self.cond(tier.cond, scope) is True:
                return self.expr(tier.value, scope)
        otherwise = self.library[name].otherwise
        return None if otherwise is None else self.expr(otherwise, scope)

    def cond(self, node: Any, scope: Scope) -> Tri:
        inner = s.strip_not(node)
        if inner is not None:
            return negate(self.cond(inner, scope))
        return getattr(self, f"on_{type(node).__name__}")(node, scope)

    def on_AllOf(self, node: s.AllOf, scope: Scope) -> Tri:
        return all_of(self.cond(part, scope) for part in node.operands)

    def on_AnyOf(self, node: s.AnyOf, scope: Scope) -> Tri:
        return any_of(self.cond(part, scope) for part in node.operands)

    def on_Not(self, node: s.Not, scope: Scope) -> Tri:
        return negate(self.cond(node.operand, scope))

    def on_IncludingUnknown(self, node: s.IncludingUnknown, scope: Scope) -> Tri:
        return self.cond(node.operand, scope) is not False

    def on_Compare(self, node: s.Compare, scope: Scope) -> Tri:
        return self.compare(self.expr(node.left, scope), node.op, self.expr(node.right, scope))

    def compare(self, left: Any, cmp: str, right: Any) -> Tri:
        if left is None or right is None:
            return None
        left, right = nfkc(left), nfkc(right)
        if isinstance(left, Instant) and isinstance(right, dt.date):
            left = self.calendar.day(left)
        if isinstance(left, str) and cmp not in ("=", "!="):
            left, right = LEVELS.index(left), LEVELS.index(right)
        return {
            "<": lambda: left < right,
            "<=": lambda: left <= right,
            ">": lambda: left > right,
            ">=": lambda: left >= right,
            "=": lambda: left == right,
            "!=": lambda: left != right,
        }[cmp]()

    def on_Between(self, node: s.Between, scope: Scope) -> Tri:
        value = self.expr(node.expr, scope)
        if isinstance(node.low, s.Date | s.DateTime):
            return self.in_range(value, self.windows.range_of_days(node.low, node.high), (node.low, node.high))
        low, high = self.expr(node.low, scope), self.expr(node.high, scope)
        return all_of([self.compare(value, ">=", low), self.compare(value, "<=", high)])

    def on_BetweenAgo(self, node: s.BetweenAgo, scope: Scope) -> Tri:
        ages = sorted([node.low.ms, node.high.ms])
        return self.in_range(self.expr(node.expr, scope), (self.as_of - ages[1], self.as_of - ages[0]))

    def on_InList(self, node: s.InList, scope: Scope) -> Tri:
        return self.one_of(self.expr(node.expr, scope), [self.expr(item, scope) for item in node.items])

    def one_of(self, value: Any, items: list[Any]) -> Tri:
        if isinstance(value, frozenset):
            members = {nfkc(member) for member in value}
            return any_of(None if item is None else nfkc(item) in members for item in items)
        return any_of(self.compare(value, "=", item) for item in items)

    def on_HasAny(self, node: s.HasAny, scope: Scope) -> Tri:
        value = self.expr(node.expr, scope)
        return None if value is None else self.one_of(value, [self.expr(item, scope) for item in node.items])

    def on_HasNone(self, node: s.HasNone, scope: Scope) -> Tri:
        return negate(self.on_HasAny(s.HasAny(node.expr, node.items), scope))

    def on_HasAll(self, node: s.HasAll, scope: Scope) -> Tri:
        value = self.expr(node.expr, scope)
        return None if value is None else all_of(self.one_of(value, [self.expr(i, scope)]) for i in node.items)

    def text(self, node: Any, scope: Scope, test: Callable[[str, str], bool]) -> Tri:
        value, part = self.expr(node.expr, scope), self.expr(node.value, scope)
        return None if value is None else test(nfkc(value), part)

    def on_Contains(self, node: s.Contains, scope: Scope) -> Tri:
        return self.text(node, scope, lambda value, part: nfkc(part) in value)

    def on_StartsWith(self, node: s.StartsWith, scope: Scope) -> Tri:
        return self.text(node, scope, lambda value, part: value.startswith(nfkc(part)))

    def on_EndsWith(self, node: s.EndsWith, scope: Scope) -> Tri:
        return self.text(node, scope, lambda value, part: value.endswith(nfkc(part)))

    def on_Matches(self, node: s.Matches, scope: Scope) -> Tri:
        return self.text(node, scope, lambda value, part: re.search(part, value) is not None)

    def on_IsKnown(self, node: s.IsKnown, scope: Scope) -> Tri:
        return self.expr(node.expr, scope) is not None

    def on_IsUnknown(self, node: s.IsUnknown, scope: Scope) -> Tri:
        return self.expr(node.expr, scope) is None

    def on_InWindow(self, node: s.InWindow, scope: Scope) -> Tri:
        value = self.expr(node.expr, scope)
        return self.in_range(value, self.windows.of(node.window), node.window)

    def in_range(self, value: Any, window: tuple[int, int], ends: Any = None) -> Tri:
        if value is None:
            return None
        if isinstance(value, Duration):
            value = self.as_of - value
        if isinstance(value, dt.date):
            # A date lies in a window of whole days if its day does.
            return window[0] <= self.calendar.start(value) < window[1]
        return window[0] <= value < window[1]

    def on_InTop(self, node: s.InTop, scope: Scope) -> Tri:
        return self.ranked(node, scope, lambda own, other: other > own)

    def on_InBottom(self, node: s.InBottom, scope: Scope) -> Tri:
        return self.ranked(node, scope, lambda own, other: other < own)

    def ranked(self, node: Any, scope: Scope, better: Callable[[Any, Any], bool]) -> Tri:
        values = self.ranking(node.expr, node.among and node.among.name, scope)
        if scope.person not in values:
            return False
        own = values[scope.person]
        if own is None:
            return None
        known = [value for value in values.values() if value is not None]
        size = node.size.fraction * len(known) if isinstance(node.size, s.Percent) else node.size.value
        return sum(better(own, other) for other in known) < Fraction(size)

    def ranking(self, expr: Any, among: str | None, scope: Scope) -> dict[int, Any]:
        """Returns the values of a population: `of`, else the `among` of the rule, else the universe (R6)."""
        population = sorted(self.segment(among)) if among else scope.population
        key = ("ranking", expr, among, tuple(population))
        if key not in self.cache:
            self.cache[key] = {
                p: self.expr(expr, PersonScope(self, p, scope.population, scope.rule)) for p in population
            }
        return self.cache[key]

    def on_Anniversary(self, node: s.Anniversary, scope: Scope) -> Tri:
        value = self.expr(node.path, scope)
        if value is None:
            return None
        start, end = self.windows.of(node.window)
        day = self.calendar.day(start)
        while self.calendar.start(day) < end:
            if self.falls_on(value, day):
                return True
            day += dt.timedelta(days=1)
        return False

    def falls_on(self, value: Any, day: dt.date) -> bool:
        month_day = value if isinstance(value, tuple) else (value.month, value.day)
        if isinstance(value, dt.date) and day.year <= value.year:
            return False
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        if month_day == (2, 29) and not leap:
            month_day = (3, 1) if self.world.leap_day_is_march_first else (2, 28)
        return (day.month, day.day) == month_day

    def on_Near(self, node: s.Near, scope: Scope) -> Tri:
        a = self.expr(node.path, scope)
        b = (
            (float(node.center.lat), float(node.center.lon))
            if isinstance(node.center, s.Point)
            else self.expr(node.center, scope)
        )
        return None if a is None or b is None else haversine(a, b) <= float(node.distance.metres)

    def on_Did(self, node: s.Did, scope: Scope) -> Tri:
        return matches_pattern(self, node.pattern, scope)

    def on_InSegment(self, node: s.InSegment, scope: Scope) -> Tri:
        return self.was_in(node.ref.name, self.as_of, scope)

    def on_WasInSegmentAgo(self, node: s.WasInSegmentAgo, scope: Scope) -> Tri:
        return self.was_in(node.ref.name, self.as_of - node.duration.ms, scope)

    def on_WasInSegmentOn(self, node: s.WasInSegmentOn, scope: Scope) -> Tri:
        return self.was_in(node.ref.name, self.windows.moment(node.date), scope)

    def on_EnteredSegment(self, node: s.EnteredSegment, scope: Scope) -> Tri:
        return self.crossed(node, scope, lambda before, after: after and not before)

    def on_LeftSegment(self, node: s.LeftSegment, scope: Scope) -> Tri:
        return self.crossed(node, scope, lambda before, after: before and not after)

    def crossed(self, node: Any, scope: Scope, crosses: Callable[[bool, bool], bool]) -> bool:
        def within(window: tuple[int, int]) -> bool:
            before, after = (self.was_in(node.ref.name, at, scope) for at in window)
            return crosses(before, after)

        if isinstance(node.window, s.Recurrence):
            return in_units(self.windows, node.window, within)
        start, end = self.windows.of_events(node.window)
        return within((min(start, end), end))

    def was_in(self, name: str, at: int, scope: Scope) -> bool:
        """Returns whether a person was in a segment. Nobody is in it before all time (M5) or in the future (M2)."""
        return -FAR < at <= self.as_of and scope.person in self.at(at).segment(name)

    def on_Sample(self, node: s.Sample, scope: Scope) -> Tri:
        seed = node.seed.value if node.seed else scope.rule
        text = seed.encode() + b"\0" + self.oneid[scope.person].to_bytes(8, "little")
        return xxhash.xxh3_64_intdigest(text) < Fraction(node.percent.fraction) * 2**64

    def matching(self, step: s.Step, scope: Scope) -> list[Event]:
        """Returns the person's events before as-of that match the step, in order."""
        events = [event for event in self.events[scope.person] if event.at < self.as_of]
        return [event for event in events if self.is_match(event, step, scope)]

    def is_match(self, event: Event, step: s.Step, scope: Scope) -> bool:
        definition = self.library.get(step.ref.name)
        if definition is not None:
            named = any(self.is_match(event, part, scope) for part in definition.steps)
        else:
            named = event.type == step.ref.name
        return named and (step.where is None or self.cond(step.where, EventScope(scope, event)) is True)

    def event_value(self, path: s.Path, event: Event, scope: Scope) -> Any:
        return EventScope(scope, event).path(path)

    def expr(self, node: Any, scope: Scope) -> Any:
        match node:
            case s.Number():
                return Fraction(node.value)
            case s.Percent():
                return Fraction(node.fraction)
            case s.Text():
                return node.value
            case s.Boolean():
                return node.value
            case s.Duration():
                return Duration(node.ms)
            case s.Date():
                return node.value
            case s.DateTime():
                return Instant(self.windows.moment(node))
            case s.Path():
                return scope.path(node)
            case s.Default():
                value = self.expr(node.expr, scope)
                return self.expr(node.otherwise, scope) if value is None else value
            case s.Arithmetic():
                return arithmetic(node.op, self.expr(node.left, scope), self.expr(node.right, scope))
            case s.Aggregate():
                return self.aggregate(node, scope)
            case s.Tile():
                return self.tile(node, scope)
        raise AssertionError(f"no expression {node!r}")

    def tile(self, node: s.Tile, scope: Scope) -> Any:
        values = self.ranking(node.expr, node.among and node.among.name, scope)
        own = values.get(scope.person)
        if own is None:
            return None
        known = [value for value in values.values() if value is not None]
        tiles = {"quintile": 5, "decile": 10, "percentile": 100}[node.fn]
        return Fraction(math.ceil(Fraction(tiles * sum(value <= own for value in known), len(known))))

    def aggregate(self, node: s.Aggregate, scope: Scope) -> Any:
        window = self.windows.of_events(node.window)
        events = self.matching(s.Step(node.path.ref, node.where), scope)
        events = [event for event in events if window[0] <= event.at < window[1]]
        if node.path.keys:
            inside = s.Path(s.Ref(node.path.keys[0].name), node.path.keys[1:])
            pairs = [(event, EventScope(scope, event).path(inside)) for event in events]
            pairs = [(event, nfkc(value)) for event, value in pairs if value is not None]
        else:
            pairs = [(event, Instant(event.at)) for event in events]
        return aggregate_values(node.fn, pairs, self.calendar)
