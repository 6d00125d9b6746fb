"""Conditions as formulas: where each is true and where it is false, with every name looked through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from fractions import Fraction

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.linting.proving.clashes import Clashes
from quanyu.dsl.linting.proving.comparisons import Comparisons
from quanyu.dsl.linting.proving.moments import ALWAYS as EVER
from quanyu.dsl.linting.proving.moments import (
    NOW,
    Ago,
    Moment,
    Moments,
    Span,
)
from quanyu.dsl.linting.proving.ranges import TRULY, Numbers
from quanyu.dsl.linting.proving.subjects import Says, Tally, Value
from quanyu.dsl.linting.proving.truth import (
    ALWAYS,
    NEVER,
    Formula,
    Prover,
    Truth,
    both,
    denied,
    either,
    looked_through,
    says,
)
from quanyu.dsl.linting.proving.value_domains import (
    Place,
    Worths,
    none,
    some,
)
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Rules
from quanyu.dsl.model.types import NUMBER, Type

_BELOW_ONE = Numbers.where(">=", 0) & Numbers.where("<", 1)
_POINT = Type("point")
_COUNTS = Numbers.where(">=", 0, True)


class Claims:
    """What conditions say, of bound rules at an instant and at every later one."""

    def __init__(self, catalog: Catalog, rules: Rules, clock: Clock) -> None:
        self.moments = Moments(clock)
        self.prover = Prover(Clashes(self.moments, self._implies))
        self.worths = Worths(catalog, rules, clock, self.moments, self.prover, self.truth)
        self._comparisons = Comparisons(self.worths, self.moments, Moments(clock, days=True))
        self._memo: dict[tuple[int, Place], tuple[s.Cond, Truth]] = {}

    def _implies(self, formula: Formula, other: Formula) -> bool:
        return self.prover.implies(formula, other)

    def truth(self, cond: s.Cond, place: Place) -> Truth:
        key = (id(cond), place)
        if key not in self._memo:
            self._memo[key] = cond, self._truth(cond, place)  # with the node, so that its id stays its own
        return self._memo[key][1]

    def _truth(self, cond: s.Cond, place: Place) -> Truth:
        inner = s.strip_not(cond)
        if inner is not None:
            return ~self._truth(inner, place)
        match cond:
            case s.AllOf(operands=parts):
                truths = [self.truth(part, place) for part in parts]
                return Truth(both(*(t.true for t in truths)), either(*(t.false for t in truths)))
            case s.AnyOf(operands=parts):
                truths = [self.truth(part, place) for part in parts]
                return Truth(either(*(t.true for t in truths)), both(*(t.false for t in truths)))
            case s.Not(operand=inner):
                return ~self.truth(inner, place)
            case s.IncludingUnknown(operand=inner):
                truth = self.truth(inner, place)
                return ~Truth.where(truth.false)
            case s.Did(pattern=pattern):
                return Truth.where(self._happened(pattern, place))
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                return Truth.where(self._member(cond))
            case s.Sample(percent=percent, seed=seed):
                drawn = Value(("sample", seed.value if seed else place.rule), _BELOW_ONE)
                return Truth.where(says(drawn, Numbers.where("<", Fraction(percent.fraction))))
        return self._leaf(cond, place)

    def _leaf(self, cond: s.Cond, place: Place) -> Truth:
        worths = self.worths
        match cond:
            case s.InTop() | s.InBottom():
                return self._ranked(cond, place)
            case s.Near(path=path, distance=distance, center=of):
                far = Value(("distance", worths.key(path, place), worths.key(of, place)), Numbers.where(">=", 0))
                known = both(*(worths.known(point, place, _POINT) for point in (path, of)))
                return Truth.where(says(far, Numbers.where("<=", Fraction(distance.metres))), known)
            case s.Anniversary(path=path, window=window):
                falls = Says(("anniversary", worths.key(path, place), self.moments.of(window)))
                return Truth.where(says(falls, TRULY), worths.known(path, place))
        found = self._comparisons.truth(cond, place)
        assert found is not None, type(cond)
        return found

    def _ranked(self, node: s.InTop | s.InBottom, place: Place) -> Truth:
        """By the share or number of the population that is strictly better; false outside it (R4)."""
        population = self.worths.population(node.among, place)
        of = node.among or place.among
        name = (type(node), self.worths.key(node.expr, place), of)
        if isinstance(node.size, s.Percent):
            better, least = Value(("share", *name), _BELOW_ONE), Fraction(node.size.fraction)
        else:
            better, least = Value(("number", *name), _COUNTS), Fraction(node.size.value)
        truth = Truth.where(says(better, Numbers.where("<", least, not isinstance(node.size, s.Percent))))
        known = self.worths.known(node.expr, place, NUMBER)
        return Truth(both(population, known, truth.true), either(denied(population), both(known, truth.false)))

    # events

    def _happened(self, pattern: s.EventPattern, place: Place) -> Formula:
        if isinstance(pattern.window, (s.InEach, s.InAtLeast, s.InAtMost, s.InExactly)):
            return _in_units(pattern.window, (type(pattern), replace(pattern, window=s.Ever())))
        span = self.moments.of_events(pattern.window)
        match pattern:
            case s.Event(step=step, times=times):
                return says(self._tally(step, span), _times(times))
            case s.FirstEvent(step=step):
                before = none(self._tally(step, (EVER[0], span[0])))
                return both(some(self._tally(step, span)), ALWAYS if span[0] == EVER[0] else before)
            case s.Sequence():
                return self._sequence(pattern, span)

    def _tally(self, step: s.Step, span: Span) -> Tally:
        return self.worths.tally("count", self.worths.events(step), span)

    def _sequence(self, node: s.Sequence, span: Span) -> Formula:
        """Not without the events of its steps, and not where the gaps are longer than the window (Q1, Q9, Q12)."""
        follow = [item for item in node.later_steps if isinstance(item, s.ThenStep)]
        least = sum(item.after.ms if item.after else 1 for item in follow)
        contrary = any(item.after and item.within and item.after.ms > item.within.ms for item in follow)
        if contrary or (follow and least >= self.moments.longest_ms(span)):
            return NEVER
        steps = Counter(self._tally(step, span) for step in (node.first, *(item.step for item in follow)))
        needed = (says(tally, Numbers.where(">=", times, True)) for tally, times in steps.items())
        return both(says(Says((node.first, node.later_steps, node.by, span)), TRULY), *needed)

    # segments

    def _member(self, node: s.Cond) -> Formula:
        match node:
            case s.InSegment(ref=ref):
                return self._in_segment(ref, NOW)
            case s.WasInSegmentAgo(ref=ref, duration=duration):
                return self._in_segment(ref, Ago(duration.ms))
            case s.WasInSegmentOn(ref=ref, date=date):
                return self._in_segment(ref, self.moments.when(date))
            case s.EnteredSegment(ref=ref, window=window) | s.LeftSegment(ref=ref, window=window):
                if isinstance(window, (s.InEach, s.InAtLeast, s.InAtMost, s.InExactly)):
                    return _in_units(window, (type(node), ref))
                before, after = (self._in_segment(ref, at) for at in self.moments.of_events(window))
                return (
                    both(after, denied(before)) if isinstance(node, s.EnteredSegment) else both(before, denied(after))
                )
        raise TypeError(f"{type(node).__name__} is no membership")

    def _in_segment(self, ref: s.Ref, at: Moment) -> Formula:
        """Now, it is looked through; before everything nobody was in (M5)."""
        if at == EVER[0]:
            return NEVER
        name = says(Says(("segment", ref.name, ref.version, at)), TRULY)
        if at != NOW:
            return name
        segment = self.worths.rule(ref)
        among = self._in_segment(segment.among, NOW) if segment.among else ALWAYS
        inside = self.truth(segment.cond, Place(among=segment.among, rule=ref.name)).true
        return looked_through(both(among, inside), name)


def _times(times: s.Times | None) -> Numbers:
    match times:
        case s.AtMost(number=number):
            return Numbers.where("<=", number, True)
        case s.Exactly(number=number):
            return Numbers.where("=", number, True)
        case s.AtLeast(number=number):
            return Numbers.where(">=", number, True)
    return Numbers.where(">=", 1, True)


def _in_units(window: s.Recurrence, what: Hashable) -> Formula:
    """In so many of the units (E8)."""
    most = window.units.number
    held = Value(("units", what, window.units), _COUNTS & Numbers.where("<=", most, True))
    match window:
        case s.InAtLeast(number=number):
            return says(held, Numbers.where(">=", number, True))
        case s.InAtMost(number=number):
            return says(held, Numbers.where("<=", number, True))
        case s.InExactly(number=number):
            return says(held, Numbers.where("=", number, True))
    return says(held, Numbers.where("=", most, True))
