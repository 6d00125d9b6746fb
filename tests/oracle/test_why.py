"""Compares explanations of membership with the naive evaluator: verdicts, witnesses, measures and the next change."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import event, given, note

from quanyu import dsl
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import syntax as s
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.explanation.why import explain_membership, published_segment, written_rule
from tests.oracle.evaluator.evaluator import Oracle, PersonScope
from tests.oracle.evaluator.event_patterns import EventChoice, event_choices
from tests.oracle.generators.conditions import (
    SEGMENTS,
    amounts,
    conditions,
    event_patterns,
    history_conditions,
    numbers,
)
from tests.oracle.generators.worlds import DAY, worlds
from tests.oracle.pair import Pair, pair_of
from tests.oracle.world import World
from tests.seed import examples

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
# Time alone changes the verdicts of these.
TIME_DEPENDENT = [
    "last_touch >= 2d",
    "last_touch < 7d and first_order > 30d",
    "last_scan between 1d and 8d",
    "last_scan between 1d and 8d ago",
    "signup_at in next 2d",
    "signup_at not in last 7d",
    "channel in [web]",
    "last_seen > 1d or did browse in last 1d",
    "count(order in last 2d) = 1",
    "days(order in last 7d) >= 2",
    "did (scan then order) in last 7d",
    "did order in at least 1 of last 2 calendar weeks",
    "anniversary of namesday in next 2 calendar days",
    "birthday in this month",
    "was in segment active 1d ago",
    "entered segment active in last 2d",
    "in segment steady",
    "in segment fresh and not in segment former",
]
INSIDE = {True: pb.VERDICT_TRUE, False: pb.VERDICT_FALSE, None: pb.VERDICT_UNKNOWN}


def context_of(pair: Pair) -> EvaluationContext:
    return EvaluationContext(pair.catalog, pair.library, pair.clock, pair.known_at)


def why(pair: Pair, text: str, person: int) -> pb.ExplainMembershipResponse:
    rule = written_rule(context_of(pair), text)
    return explain_membership(pair.engine.index, rule, pair.oneid[person])


def verdict(oracle: Oracle, text: str, person: int, among: str | None = None, name: str = "") -> int:
    population = oracle.segment(among) if among else oracle.universe
    if person not in population:
        return pb.VERDICT_OUTSIDE
    true, unknown = oracle.rule(dsl.parse_condition(text), among, name)
    return INSIDE[True if person in true else None if person in unknown else False]


def bracketed_clauses(clauses: list[pb.ClauseVerdict]) -> Iterator[pb.ClauseVerdict]:
    """Yields the clauses and the clauses inside their brackets, but not those of the segments that they name."""
    for clause in clauses:
        yield clause
        if isinstance(dsl.parse_condition(clause.text), s.AllOf | s.AnyOf | s.Not | s.IncludingUnknown):
            yield from bracketed_clauses(list(clause.parts))


@examples(12)
@given(worlds(), st.lists(conditions(), min_size=3, max_size=3), st.none() | st.integers(1, 14))
def test_each_clause_has_the_verdict_of_the_naive_evaluator(world: World, texts: list[str], offset: int | None) -> None:
    with pair_of(world, offset) as pair:
        for text in (text for text in texts if not pair.asks_about_the_future(text)):
            for person in pair.oracle.world.people():
                note(f"{text}: {person}")
                found = why(pair, text, person)
                assert found.verdict == verdict(pair.oracle, text, person)
                for clause in bracketed_clauses(list(found.clauses)):
                    assert clause.verdict == verdict(pair.oracle, clause.text, person), clause.text
                    assert clause.because


@examples(5)
@given(worlds())
def test_a_published_segment_is_explained_within_its_population(world: World) -> None:
    with pair_of(world) as pair:
        for name in SEGMENTS:
            rule = published_segment(context_of(pair), name)
            among = rule.segment.among and rule.segment.among.name
            for person in pair.oracle.world.people():
                found = explain_membership(pair.engine.index, rule, pair.oneid[person])
                text = dsl.format_rule(rule.cond)
                note(f"{name}: {person}")
                assert found.verdict == verdict(pair.oracle, text, person, among, name)
                if found.verdict == pb.VERDICT_OUTSIDE:
                    continue
                for clause in bracketed_clauses(list(found.clauses)):
                    assert clause.verdict == verdict(pair.oracle, clause.text, person, among, name), clause.text
                if found.flip.HasField("at"):
                    then = pair.oracle.at(found.flip.at.ToMilliseconds())
                    assert found.flip.verdict == verdict(then, text, person, among, name)


@examples(5)
@given(worlds())
def test_a_past_membership_is_explained_as_of_its_instant(world: World) -> None:
    with pair_of(world) as pair:
        past = pair.oracle.at(pair.clock.as_of_ms - 2 * DAY)
        for name in SEGMENTS:
            segment = pair.library.get(name, 1)
            assert isinstance(segment, s.Segment)
            among = segment.among and segment.among.name
            for person in pair.oracle.universe:
                (now,) = why(pair, f"in segment {name}", person).clauses
                (then,) = why(pair, f"was in segment {name} 2d ago", person).clauses
                (member,) = then.parts
                assert member.verdict == then.verdict
                for oracle, clauses in ((pair.oracle, now.parts), (past, member.parts)):
                    if verdict(oracle, dsl.format_rule(segment.cond), person, among, name) != pb.VERDICT_OUTSIDE:
                        for clause in bracketed_clauses(list(clauses)):
                            assert clause.verdict == verdict(oracle, clause.text, person, among, name), clause.text


@examples(25)
@given(
    worlds(),
    st.lists(conditions() | history_conditions() | st.sampled_from(TIME_DEPENDENT), min_size=3, max_size=3),
    st.none() | st.none() | st.integers(2, 14),
    st.data(),
)
def test_the_next_change_is_the_first_instant_with_another_verdict(
    world: World, texts: list[str], offset: int | None, data: st.DataObject
) -> None:
    with pair_of(world, offset) as pair:
        for text in (text for text in texts if not pair.asks_about_the_future(text)):
            for person in pair.oracle.world.people():
                check_flip(pair, text, person, data)


def check_flip(pair: Pair, text: str, person: int, data: st.DataObject) -> None:
    found = why(pair, text, person)
    flip, as_of = found.flip, pair.clock.as_of_ms
    until = flip.looked_until.ToMilliseconds()
    note(f"{text}: {person} {flip}")
    event(f"flips: {flip.HasField('at')}, approximate: {flip.approximate}")

    def verdict_at(at: int) -> int:
        return verdict(pair.oracle.at(at), text, person)

    if flip.HasField("at"):
        assert until == flip.at.ToMilliseconds() > as_of
        assert verdict_at(until) == flip.verdict != found.verdict
        assert flip.because
    if not flip.approximate:
        last = until - flip.HasField("at")
        for at in {last, *data.draw(st.lists(st.integers(as_of, last), max_size=6))}:
            assert verdict_at(at) == found.verdict, at


def event_witnesses(clause: pb.ClauseVerdict) -> list[tuple[str, int]]:
    events = [witness.event for witness in clause.witnesses if witness.HasField("event")]
    return [(event.type, event.occurred_at.ToMilliseconds()) for event in events]


@examples(15)
@given(worlds(crowded=True), st.lists(event_patterns(), min_size=3, max_size=3))
def test_witnesses_are_the_events_that_match_the_pattern(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        for text in texts:
            cond = dsl.parse_condition(f"did {text}")
            assert isinstance(cond, s.Did)
            pattern = cond.pattern
            if isinstance(pattern.window, s.Recurrence):
                continue
            for person in pair.oracle.universe:
                note(f"{text}: {person}")
                (clause,) = why(pair, f"did {text}", person).clauses
                check_events(pair.oracle, pattern, PersonScope(pair.oracle, person, pair.oracle.universe, ""), clause)


def first_steps(sequence: s.Sequence, size: int) -> s.Sequence:
    """Returns the first steps of a sequence; unless they are all steps, without forbidden events after the last."""
    steps = [at for at, item in enumerate(sequence.later_steps) if isinstance(item, s.ThenStep)]
    if size > len(steps):
        return sequence
    follow = list(sequence.later_steps[: steps[size - 1]])
    while follow and isinstance(follow[-1], s.WithoutStep):
        follow.pop()
    return replace(sequence, later_steps=tuple(follow))


def matching_choices(
    oracle: Oracle, sequence: s.Sequence, span: tuple[int, int], scope: PersonScope
) -> list[list[tuple[str, int]]]:
    tried = (EventChoice(oracle, sequence, span, scope, events) for events in event_choices(oracle, sequence, scope))
    return [[(event.type, event.at) for event in choice.events] for choice in tried if choice.is_match()]


def check_events(oracle: Oracle, pattern: s.EventPattern, scope: PersonScope, clause: pb.ClauseVerdict) -> None:
    start, end = oracle.windows.of_events(pattern.window)
    if isinstance(pattern, s.Sequence):
        shown, steps = event_witnesses(clause), 1 + sum(isinstance(item, s.ThenStep) for item in pattern.later_steps)
        sizes = [
            size
            for size in range(1, steps + 1)
            if matching_choices(oracle, first_steps(pattern, size), (start, end), scope)
        ]
        # If the whole sequence does not match, the answer shows the longest run of first steps that does.
        assert len(shown) == max(sizes, default=0)
        assert (len(shown) == steps) == (clause.verdict == pb.VERDICT_TRUE)
        if shown:
            assert shown in matching_choices(oracle, first_steps(pattern, len(shown)), (start, end), scope)
        return
    matching = [(event.type, event.at) for event in oracle.matching(pattern.step, scope) if event.at < end]
    if isinstance(pattern, s.FirstEvent):
        assert event_witnesses(clause) == matching[:1]
        return
    inside = [event for event in reversed(matching) if event[1] >= start]
    assert [event[1] for event in event_witnesses(clause)] == [event[1] for event in inside[:10]]
    assert clause.more_events == max(len(inside) - 10, 0)


@examples(12)
@given(worlds(), st.lists(amounts() | numbers(), min_size=4, max_size=4))
def test_measures_equal_the_values_of_the_naive_evaluator(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        for text in texts:
            expr = dsl.parse_condition(f"{text} > 0").left  # type: ignore[union-attr]
            for person in pair.oracle.universe:
                note(f"{text}: {person}")
                (clause,) = why(pair, f"{text} > 0", person).clauses
                scope = PersonScope(pair.oracle, person, pair.oracle.universe, "")
                found = {w.measure.text: w.measure for w in clause.witnesses if w.HasField("measure")}
                for node in (node for node in s.walk(expr) if isinstance(node, s.Aggregate | s.Arithmetic | s.Tile)):
                    check_measure(found[dsl.format_rule(with_versions(pair, node))], pair.oracle.expr(node, scope))


def with_versions(pair: Pair, node: s.Expr) -> s.Expr:
    """Returns an expression with the versions of its names, as the answer shows it."""
    cond = s.Compare(node, ">", s.Number(Decimal(0)))
    bound = dsl.check_and_bind(dsl.format_rule(cond), pair.catalog, pair.library).condition
    assert isinstance(bound, s.Compare)
    return bound.left


def check_measure(measure: pb.Measure, expected: Any) -> None:
    if expected is None:
        assert not measure.HasField("value")
        return
    millionths = expected * 10**6
    assert Fraction(measure.value.decimal) * 10**6 == millionths.__floor__()
    assert measure.cut == (millionths.denominator != 1)
