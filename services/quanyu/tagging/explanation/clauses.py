"""Explains the verdict on each clause of a rule for one person. Every verdict comes from the engine."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Clock, PartCompiler, format_rule
from quanyu.dsl import syntax as s
from quanyu.dsl.calendar import windows
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.nodes import Root
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input
from quanyu.tagging.explanation.person_queries import (
    CountedEvents,
    PersonQueries,
    at_ms,
    verdict_message,
)
from quanyu.tagging.explanation.rank_place import describe_place
from quanyu.tagging.explanation.subjects import subjects
from quanyu.tagging.explanation.value_witnesses import value_witnesses
from quanyu.tagging.explanation.wording import (
    WORDS,
    describe_witness,
    local,
    number_of,
)

MOST_WITNESSES = 10
# The newest calendar units, which are explained one by one.
MOST_UNITS = 31


class Clauses:
    """Explains the clauses of one segment, or of a single condition, as of the evaluation's instant.

    `depth` is 0 for the rule to explain, and 1 for a segment that it names, whose own segments are not explained.
    """

    def __init__(
        self, person: PersonQueries, segment: s.Segment | None, evaluation: EvaluationContext, depth: int = 0
    ) -> None:
        self._person, self._segment, self._evaluation, self._depth = person, segment, evaluation, depth
        self._clock = evaluation.clock
        self._parts = self._parts_at(self._clock)

    def verdict(self, cond: s.Cond) -> pb.Verdict:
        return self._verdicts_at([cond], self._clock)[0]

    def of_rule(self, cond: s.Cond) -> list[pb.ClauseVerdict]:
        return self._of(_top(cond))

    def of_population(self) -> list[pb.ClauseVerdict]:
        """Explains why the person is outside the population; empty if the person has no record yet."""
        if self._segment is None or self._segment.among is None:
            return []
        clause = self._of_member(self._segment.among, self._clock.as_of_ms)
        clause.text = format_rule(s.InSegment(self._segment.among))
        return [clause]

    def change(self, cond: s.Cond, at: int) -> str:
        """Describes the clauses whose verdict at an instant differs from the current one."""
        conds = _top(cond)
        before = self._verdicts_at(conds, self._clock)
        after = self._verdicts_at(conds, replace(self._clock, as_of_ms=at))
        changed = [
            f"`{format_rule(part)}` becomes {WORDS[then]}"
            for part, now, then in zip(conds, before, after, strict=True)
            if now != then
        ]
        return "; ".join(changed)

    def _verdicts_at(self, conds: Sequence[s.Cond], clock: Clock) -> list[pb.Verdict]:
        with rule_errors_as_invalid_input():
            parts = self._parts_at(clock)
            roots = [parts.compile_population(), *map(parts.compile_root, conds)]
        inside, *found = self._person.verdicts(clock.as_of_ms, roots)
        return [verdict_message(one) if inside else pb.VERDICT_OUTSIDE for one in found]

    def _parts_at(self, clock: Clock) -> PartCompiler:
        return PartCompiler(self._segment, self._evaluation.library, self._evaluation.catalog, clock)

    # clauses

    def _of(self, conds: Sequence[s.Cond]) -> list[pb.ClauseVerdict]:
        with rule_errors_as_invalid_input():
            roots = [self._parts.compile_root(cond) for cond in conds]
        found = self._person.verdicts(self._clock.as_of_ms, roots)
        return [self._clause(cond, root, one) for cond, root, one in zip(conds, roots, found, strict=True)]

    def _clause(self, cond: s.Cond, root: Root, found: bool | None) -> pb.ClauseVerdict:
        clause = self._reasons(s.strip_not(cond) or cond, root)
        clause.text, clause.verdict = format_rule(cond), verdict_message(found)
        if self._depth == 0 and cond.span != s.NO_SPAN:
            clause.line, clause.column = cond.span.line, cond.span.column
        return clause

    def _reasons(self, cond: s.Cond, root: Root) -> pb.ClauseVerdict:
        match cond:
            case s.AllOf() | s.AnyOf():
                return _counted(self._of(cond.operands))
            case s.Not(operand=inner) | s.IncludingUnknown(operand=inner):
                return _counted(self._of([inner]))
            case s.Did(pattern=pattern):
                return self._of_event_pattern(cond, pattern, root)
            case s.InSegment(ref=ref):
                return self._of_member(ref, self._clock.as_of_ms)
            case s.WasInSegmentAgo(ref=ref, duration=duration):
                return self._of_past(ref, [windows.ago_ms(duration, self._clock)])
            case s.WasInSegmentOn(ref=ref, date=date):
                return self._of_past(ref, [windows.when_ms(date, self._clock)])
            case s.EnteredSegment(window=window) | s.LeftSegment(window=window):
                if isinstance(window, s.Recurrence):
                    return self._of_units(cond, window)
                return self._of_past(cond.ref, windows.resolve_event_window(window, self._clock))
            case s.InTop() | s.InBottom():
                return self._of_rank(cond, root)
            case s.Sample():
                return pb.ClauseVerdict(because="the seed and the person's OneID decide this, so it never changes")
        return self._of_values(cond, root)

    # segments

    def _of_past(self, ref: s.Ref, instants: Sequence[int | None]) -> pb.ClauseVerdict:
        """Explains for each instant whether the person was in the segment."""
        parts = []
        for at in instants:
            part = self._of_member(ref, at)
            part.text = format_rule(s.InSegment(ref))
            part.because += " before all time" if at is None else f" as of {local(at, self._clock)}"
            parts.append(part)
        return pb.ClauseVerdict(because="; ".join(part.because for part in parts), parts=parts)

    def _of_member(self, ref: s.Ref, at: int | None) -> pb.ClauseVerdict:
        segment = self._evaluation.library.get(ref.name, ref.version or 1)
        assert isinstance(segment, s.Segment)
        text = format_rule(s.InSegment(ref))
        if at is None or at > self._clock.as_of_ms:
            return pb.ClauseVerdict(verdict=pb.VERDICT_FALSE, because=f"not {text}")
        evaluation = replace(self._evaluation, clock=replace(self._clock, as_of_ms=at))
        then = Clauses(self._person, segment, evaluation, self._depth + 1)
        found = then.verdict(segment.cond)
        is_in = found == pb.VERDICT_TRUE
        member = pb.ClauseVerdict(verdict=verdict_message(is_in), because=text if is_in else f"not {text}")
        if self._depth == 0:
            outside = found == pb.VERDICT_OUTSIDE
            member.parts.extend(then.of_population() if outside else then.of_rule(segment.cond))
        return member

    # events

    def _of_event_pattern(self, cond: s.Did, pattern: s.EventPattern, root: Root) -> pb.ClauseVerdict:
        if isinstance(pattern.window, s.Recurrence):
            return self._of_units(cond, pattern.window)
        if isinstance(pattern, s.Sequence):
            return self._of_sequence(root)
        events = self._events(root)
        start, end = windows.resolve_event_window(pattern.window, self._clock)
        if isinstance(pattern, s.FirstEvent):
            first = [events.oldest] if events.oldest else []
            because = f"the first was at {self._at(first[0])}" if first else "there is no such event"
            return _with_events(pb.ClauseVerdict(because=because), CountedEvents(len(first), first, events.oldest))
        until = local(end, self._clock)
        span = f"before {until}" if start is None else f"from {local(start, self._clock)} to {until}"
        return _with_events(pb.ClauseVerdict(because=f"{number_of(events.number, 'event')} {span}"), events)

    def _events(self, root: Root) -> CountedEvents:
        return self._person.counted_events(self._clock.as_of_ms, root, MOST_WITNESSES)

    def _of_units(self, cond: s.Did | s.EnteredSegment | s.LeftSegment, repeat: s.Recurrence) -> pb.ClauseVerdict:
        """Explains each calendar unit as a window of its own (E8, M5)."""
        starts = windows.unit_starts(repeat.units, self._clock)[-MOST_UNITS - 1 :]
        days = [(self._clock.day_of(start), self._clock.day_of(end - 1)) for start, end in itertools.pairwise(starts)]
        units = [s.BetweenDays(s.Date(first), s.Date(last)) for first, last in days]
        parts = self._of([_in_window(cond, unit) for unit in units])
        held = sum(part.verdict == pb.VERDICT_TRUE for part in parts)
        because = f"true in {held} of the last {number_of(len(parts), repeat.units.unit)}"
        return pb.ClauseVerdict(because=because, parts=parts)

    def _of_sequence(self, root: Root) -> pb.ClauseVerdict:
        sequence = _without_not(root.cond)
        assert isinstance(sequence, nodes.Sequence)
        steps = len(sequence.steps)
        found = self._person.assignment(self._clock.as_of_ms, root)
        size, events = found.steps, found.events
        fit = "the steps fit" if size == steps else f"the first {size} of {steps} steps fit" if size else "no step fits"
        chosen = ", ".join(f"{event.type} at {self._at(event)}" for event in events)
        shown = CountedEvents(len(events), events[:MOST_WITNESSES], None)
        return _with_events(pb.ClauseVerdict(because=f"{fit}: {chosen}" if chosen else fit), shown)

    def _at(self, event: pb.TimelineEvent) -> str:
        return local(at_ms(event.occurred_at), self._clock)

    # values

    def _of_values(self, cond: s.Cond, root: Root) -> pb.ClauseVerdict:
        witnesses = self._values(subjects(cond))
        because = (
            "; ".join(describe_witness(witness, self._clock) for witness in witnesses)
            or "the value is the same for everybody"
        )
        return _with_events(pb.ClauseVerdict(because=because, witnesses=witnesses), self._events(root))

    def _values(self, exprs: Sequence[s.Expr]) -> list[pb.Witness]:
        with rule_errors_as_invalid_input():
            return value_witnesses(self._person, self._parts, self._clock.as_of_ms, exprs)

    def _of_rank(self, cond: s.InTop | s.InBottom, root: Root) -> pb.ClauseVerdict:
        clause = self._of_values(cond, root)
        rank = _without_not(root.cond)
        assert isinstance(rank, nodes.Rank)
        (own,), kind = self._values([cond.expr]), self._parts.compile_value(cond.expr)[1]
        place = describe_place(self._person, self._clock.as_of_ms, rank, root.among, own, kind)
        clause.because += f"; {place}"
        return clause


def _top(cond: s.Cond) -> tuple[s.Cond, ...]:
    return cond.operands if isinstance(cond, s.AllOf | s.AnyOf) else (cond,)


def _without_not(cond: nodes.Cond) -> nodes.Cond:
    """Returns the condition that a negation denies, or the condition itself."""
    return cond.of if isinstance(cond, nodes.Not) else cond


def _in_window(cond: s.Did | s.EnteredSegment | s.LeftSegment, window: s.BetweenDays) -> s.Cond:
    """Returns the condition for one window. The number of times stays, because it applies to each unit (E8)."""
    if isinstance(cond, s.Did):
        return s.Did(replace(cond.pattern, window=window))
    return type(cond)(cond.ref, window)


def _counted(parts: Sequence[pb.ClauseVerdict]) -> pb.ClauseVerdict:
    counts = Counter(WORDS[part.verdict] for part in parts)
    one = f"the part is {WORDS[parts[0].verdict]}"
    many = "parts: " + ", ".join(f"{count} {word}" for word, count in counts.items())
    return pb.ClauseVerdict(because=one if len(parts) == 1 else many, parts=parts)


def _with_events(clause: pb.ClauseVerdict, events: CountedEvents) -> pb.ClauseVerdict:
    clause.witnesses.extend(pb.Witness(event=event) for event in events.newest)
    clause.more_events = events.number - len(events.newest)
    return clause
