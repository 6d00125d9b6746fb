"""The engine against the naive evaluator: random worlds, random rules, the same members and the same unknowns."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pyroaring
import pytest
from hypothesis import HealthCheck, given, note, settings

from quanyu import dsl
from quanyu.dsl import syntax
from quanyu.engine import Answer
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from tests.oracle.engine import Engine, known_at
from tests.oracle.evaluate import Oracle
from tests.oracle.strategies import LIBRARY, SEGMENTS, conditions, of_the_past
from tests.oracle.world import CHANNELS, World, handles
from tests.oracle.worlds import worlds

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


class Pair:
    """One world in both: `check` compares what they say of a text, known at a raw offset if one is given."""

    def __init__(
        self, folder: Path, world: World, offset: int | None = None, erased: int | None = None, rules: str = LIBRARY
    ) -> None:
        self.engine = Engine(folder, world)
        if erased is not None:
            self.engine.erase(erased)
        end = self.engine.index.epoch()[0]
        self.known_at = None if offset is None else min(offset, end)
        known = end if self.known_at is None else self.known_at
        world = known_at(world, known, self.engine.splits_from)
        gone = set() if erased is None else set(handles(erased))
        world = replace(world, records=tuple(record for record in world.records if not gone & {*record.identifiers}))
        self.catalog = catalog_of(self.engine.schema, CHANNELS)
        self.clock = clock_of(self.engine.schema.settings, world.as_of, self.engine.index.earliest_ms(self.known_at))
        self.bound = dsl.check_and_bind(rules, self.catalog, dsl.Library())
        self.library = dsl.Library().publish(self.bound)
        self.oneid = self.engine.oneids(world, known)
        statements = {
            s.ref.name: s for s in dsl.parse(rules).statements if not isinstance(s, syntax.Setting | syntax.Test)
        }
        self.oracle = Oracle(world, statements, self.oneid)

    def evaluate(self, *rules: dsl.CompiledRule) -> Answer:
        return self.engine.index.evaluate(dsl.build_plan(self.clock.as_of_ms, *rules), self.known_at)

    def persons(self, people: set[int]) -> set[int]:
        return {self.oneid[person] for person in people}

    def check(self, text: str) -> None:
        bound = dsl.check_and_bind(text, self.catalog, self.library)
        if self.is_to_come(text):
            with pytest.raises(dsl.RuleError, match="M2"):
                dsl.compile_condition(bound, self.library, self.catalog, self.clock)
            return
        answer = self.evaluate(dsl.compile_condition(bound, self.library, self.catalog, self.clock))
        true, unknown = self.oracle.rule(dsl.parse_condition(text))
        assert members(answer, 0) == self.persons(true)
        assert answer.matched(0) == len(true)
        assert answer.counts(0) == (len(true), len(unknown))
        cond = dsl.parse_condition(text)
        clauses = cond.operands if isinstance(cond, syntax.AllOf | syntax.AnyOf) else (cond,)
        assert answer.clauses(0) == [tuple(map(len, self.oracle.rule(clause))) for clause in clauses]

    def is_to_come(self, text: str) -> bool:
        """Whether it asks who was in a segment on a day after the question's as-of."""
        days = [node.date for node in syntax.walk(dsl.parse_condition(text)) if isinstance(node, syntax.WasInSegmentOn)]
        return any(self.oracle.windows.moment(day) > self.clock.as_of_ms for day in days)


def members(answer: Answer, root: int) -> set[int]:
    return set(pyroaring.BitMap64.deserialize(answer.roaring(root)))


@contextmanager
def pair_of(world: World, offset: int | None = None, erased: int | None = None, rules: str = LIBRARY) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder), world, offset, erased, rules)
        yield pair
        pair.engine.close()


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8))
def test_conditions_hold_the_same_people_and_the_same_unknowns(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(crowded=True), st.lists(of_the_past(), min_size=8, max_size=8))
def test_happenings_and_moves_hold_the_same_people(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8), st.integers(1, 14))
def test_what_was_known_before_is_what_had_come_by_then(world: World, texts: list[str], offset: int) -> None:
    with pair_of(world, offset) as pair:
        for text in texts:
            note(text)
            pair.check(text)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(conditions(), min_size=8, max_size=8), st.none() | st.integers(1, 14), st.booleans())
def test_who_was_erased_never_was(world: World, texts: list[str], offset: int | None, is_purged: bool) -> None:
    erased = world.records[0].person
    with pair_of(world, offset, erased) as pair:
        while is_purged and pair.engine.index.tidy():
            pass
        for text in texts:
            note(text)
            pair.check(text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_published_segments_and_tags_hold_the_same_people(world: World) -> None:
    with pair_of(world) as pair:
        for name in SEGMENTS:
            answer = pair.evaluate(dsl.compile_segment(name, 1, pair.library, pair.catalog, pair.clock))
            assert members(answer, 0) == pair.persons(pair.oracle.segment(name)), name
        for name in ("frequency", "maybe"):
            compiled = dsl.compile_tag(name, 1, pair.library, pair.catalog, pair.clock)
            answer = pair.evaluate(compiled)
            for root, value in enumerate(compiled.values):
                expected = {person for person in pair.oracle.universe if pair.oracle.tag(name, person) == value}
                assert members(answer, root) == pair.persons(expected), (name, value)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(conditions(), min_size=4, max_size=4))
def test_rules_asked_together_answer_as_alone(world: World, texts: list[str]) -> None:
    with pair_of(world) as pair:
        rules = []
        for text in (text for text in texts if not pair.is_to_come(text)):
            bound = dsl.check_and_bind(text, pair.catalog, pair.library)
            rules.append(dsl.compile_condition(bound, pair.library, pair.catalog, pair.clock))
        together = pair.evaluate(*rules)
        for root, rule in enumerate(rules):
            alone = pair.evaluate(rule)
            assert together.roaring(root) == alone.roaring(0)
            assert together.clauses(root) == alone.clauses(0)
