"""Encodes conditions as formulas and replaces names by their definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from fractions import Fraction

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.linting.proving.comparison_encoder import ComparisonEncoder
from quanyu.dsl.linting.proving.contradictions import Contradictions
from quanyu.dsl.linting.proving.formulas import (
    FALSE,
    TRUE,
    Formula,
    Truth,
    atom,
    conjunction,
    disjunction,
    inline_or_name,
    negation,
)
from quanyu.dsl.linting.proving.prover import Prover
from quanyu.dsl.linting.proving.timeline import (
    ALL_TIME,
    NOW,
    Ago,
    Instant,
    Span,
    Timeline,
)
from quanyu.dsl.linting.proving.value_encoder import (
    Site,
    ValueEncoder,
    no_events,
    some_events,
)
from quanyu.dsl.linting.proving.value_sets import IS_TRUE, IntervalSet
from quanyu.dsl.linting.proving.variables import BooleanVariable, Tally, ValueVariable
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import Rules
from quanyu.dsl.model.types import NUMBER, Type

_BELOW_ONE = IntervalSet.comparing(">=", 0) & IntervalSet.comparing("<", 1)
_POINT = Type("point")
_COUNTS = IntervalSet.comparing(">=", 0, True)


class Encoder:
    """Encodes conditions of bound rules for the clock's instant and every later one."""

    def __init__(self, catalog: Catalog, rules: Rules, clock: Clock) -> None:
        self.timeline = Timeline(clock)
        self.prover = Prover(Contradictions(self.timeline, self._implies))
        self.values = ValueEncoder(catalog, rules, clock, self.timeline, self.prover, self.encode)
        self._comparison_encoder = ComparisonEncoder(self.values, self.timeline, Timeline(clock, days=True))
        self._memo: dict[tuple[int, Site], tuple[s.Cond, Truth]] = {}

    def _implies(self, formula: Formula, other: Formula) -> bool:
        return self.prover.implies(formula, other)

    def encode(self, cond: s.Cond, site: Site) -> Truth:
        key = (id(cond), site)
        if key not in self._memo:
            self._memo[key] = cond, self._encode(cond, site)  # keeps the node alive, so that its id stays unique
        return self._memo[key][1]

    def _encode(self, cond: s.Cond, site: Site) -> Truth:
        inner = s.strip_not(cond)
        if inner is not None:
            return ~self._encode(inner, site)
        match cond:
            case s.AllOf(operands=parts):
                truths = [self.encode(part, site) for part in parts]
                return Truth(conjunction(*(t.true for t in truths)), disjunction(*(t.false for t in truths)))
            case s.AnyOf(operands=parts):
                truths = [self.encode(part, site) for part in parts]
                return Truth(disjunction(*(t.true for t in truths)), conjunction(*(t.false for t in truths)))
            case s.Not(operand=inner):
                return ~self.encode(inner, site)
            case s.IncludingUnknown(operand=inner):
                truth = self.encode(inner, site)
                return ~Truth.from_formula(truth.false)
            case s.Did(pattern=pattern):
                return Truth.from_formula(self._happened(pattern, site))
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.EnteredSegment() | s.LeftSegment():
                return Truth.from_formula(self._member(cond))
            case s.Sample(percent=percent, seed=seed):
                drawn = ValueVariable(("sample", seed.value if seed else site.rule), _BELOW_ONE)
                return Truth.from_formula(atom(drawn, IntervalSet.comparing("<", Fraction(percent.fraction))))
        return self._leaf(cond, site)

    def _leaf(self, cond: s.Cond, site: Site) -> Truth:
        values = self.values
        match cond:
            case s.InTop() | s.InBottom():
                return self._ranked(cond, site)
            case s.Near(path=path, distance=distance, center=of):
                far = ValueVariable(
                    ("distance", values.key(path, site), values.key(of, site)), IntervalSet.comparing(">=", 0)
                )
                known = conjunction(*(values.known(point, site, _POINT) for point in (path, of)))
                return Truth.from_formula(atom(far, IntervalSet.comparing("<=", Fraction(distance.metres))), known)
            case s.Anniversary(path=path, window=window):
                falls = BooleanVariable(("anniversary", values.key(path, site), self.timeline.span_of(window)))
                return Truth.from_formula(atom(falls, IS_TRUE), values.known(path, site))
        found = self._comparison_encoder.encode(cond, site)
        assert found is not None, type(cond)
        return found

    def _ranked(self, node: s.InTop | s.InBottom, site: Site) -> Truth:
        """Encodes a rank by the share or number of people with a better value; false outside the population (R4)."""
        population = self.values.population(node.among, site)
        of = node.among or site.among
        name = (type(node), self.values.key(node.expr, site), of)
        if isinstance(node.size, s.Percent):
            better, least = ValueVariable(("share", *name), _BELOW_ONE), Fraction(node.size.fraction)
        else:
            better, least = ValueVariable(("number", *name), _COUNTS), Fraction(node.size.value)
        truth = Truth.from_formula(
            atom(better, IntervalSet.comparing("<", least, not isinstance(node.size, s.Percent)))
        )
        known = self.values.known(node.expr, site, NUMBER)
        return Truth(
            conjunction(population, known, truth.true),
            disjunction(negation(population), conjunction(known, truth.false)),
        )

    # events

    def _happened(self, pattern: s.EventPattern, site: Site) -> Formula:
        if isinstance(pattern.window, (s.InEach, s.InAtLeast, s.InAtMost, s.InExactly)):
            return _in_units(pattern.window, (type(pattern), replace(pattern, window=s.Ever())))
        span = self.timeline.event_span(pattern.window)
        match pattern:
            case s.Event(step=step, times=times):
                return atom(self._tally(step, span), _times(times))
            case s.FirstEvent(step=step):
                before = no_events(self._tally(step, (ALL_TIME[0], span[0])))
                return conjunction(some_events(self._tally(step, span)), TRUE if span[0] == ALL_TIME[0] else before)
            case s.Sequence():
                return self._sequence(pattern, span)

    def _tally(self, step: s.Step, span: Span) -> Tally:
        return self.values.make_tally("count", self.values.event_set(step), span)

    def _sequence(self, node: s.Sequence, span: Span) -> Formula:
        """Requires the events of each step. Returns FALSE if the gaps do not fit into the window (Q1, Q9, Q12)."""
        follow = [item for item in node.later_steps if isinstance(item, s.ThenStep)]
        least = sum(item.after.ms if item.after else 1 for item in follow)
        opposite = any(item.after and item.within and item.after.ms > item.within.ms for item in follow)
        if opposite or (follow and least >= self.timeline.max_length_ms(span)):
            return FALSE
        steps = Counter(self._tally(step, span) for step in (node.first, *(item.step for item in follow)))
        needed = (atom(tally, IntervalSet.comparing(">=", times, True)) for tally, times in steps.items())
        return conjunction(atom(BooleanVariable((node.first, node.later_steps, node.by, span)), IS_TRUE), *needed)

    # segments

    def _member(self, node: s.Cond) -> Formula:
        match node:
            case s.InSegment(ref=ref):
                return self._in_segment(ref, NOW)
            case s.WasInSegmentAgo(ref=ref, duration=duration):
                return self._in_segment(ref, Ago(duration.ms))
            case s.WasInSegmentOn(ref=ref, date=date):
                return self._in_segment(ref, self.timeline.instant_of(date))
            case s.EnteredSegment(ref=ref, window=window) | s.LeftSegment(ref=ref, window=window):
                if isinstance(window, (s.InEach, s.InAtLeast, s.InAtMost, s.InExactly)):
                    return _in_units(window, (type(node), ref))
                before, after = (self._in_segment(ref, at) for at in self.timeline.event_span(window))
                return (
                    conjunction(after, negation(before))
                    if isinstance(node, s.EnteredSegment)
                    else conjunction(before, negation(after))
                )
        raise TypeError(f"{type(node).__name__} is not a membership condition")

    def _in_segment(self, ref: s.Ref, at: Instant) -> Formula:
        """Encodes membership at an instant. The current segment is expanded; at the start of time it is empty (M5)."""
        if at == ALL_TIME[0]:
            return FALSE
        name = atom(BooleanVariable(("segment", ref.name, ref.version, at)), IS_TRUE)
        if at != NOW:
            return name
        segment = self.values.rule(ref)
        among = self._in_segment(segment.among, NOW) if segment.among else TRUE
        inside = self.encode(segment.cond, Site(among=segment.among, rule=ref.name)).true
        return inline_or_name(conjunction(among, inside), name)


def _times(times: s.Times | None) -> IntervalSet:
    match times:
        case s.AtMost(number=number):
            return IntervalSet.comparing("<=", number, True)
        case s.Exactly(number=number):
            return IntervalSet.comparing("=", number, True)
        case s.AtLeast(number=number):
            return IntervalSet.comparing(">=", number, True)
    return IntervalSet.comparing(">=", 1, True)


def _in_units(window: s.Recurrence, what: Hashable) -> Formula:
    """Encodes the number of units in which something happens (E8)."""
    limit = window.units.number
    held = ValueVariable(("units", what, window.units), _COUNTS & IntervalSet.comparing("<=", limit, True))
    match window:
        case s.InAtLeast(number=number):
            return atom(held, IntervalSet.comparing(">=", number, True))
        case s.InAtMost(number=number):
            return atom(held, IntervalSet.comparing("<=", number, True))
        case s.InExactly(number=number):
            return atom(held, IntervalSet.comparing("=", number, True))
    return atom(held, IntervalSet.comparing("=", limit, True))
