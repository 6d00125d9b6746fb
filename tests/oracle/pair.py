"""One world in the engine and in the naive evaluator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyroaring
import pytest

from quanyu import dsl
from quanyu.dsl import syntax
from quanyu.engine import Answer
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from tests.oracle.engine import Engine, known_at
from tests.oracle.evaluator.evaluator import Oracle
from tests.oracle.generators.conditions import LIBRARY
from tests.oracle.world import CHANNELS, World, identifiers_of


class Pair:
    """A world in the engine and in the naive evaluator, as known at a raw offset if one is given."""

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
        erased_identifiers = set() if erased is None else set(identifiers_of(erased))
        world = replace(
            world, records=tuple(record for record in world.records if not erased_identifiers & {*record.identifiers})
        )
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

    def oneids_of(self, people: set[int]) -> set[int]:
        return {self.oneid[person] for person in people}

    def check(self, text: str) -> None:
        """Asserts that both return the same members and the same counts of each clause."""
        bound = dsl.check_and_bind(text, self.catalog, self.library)
        if self.asks_about_the_future(text):
            with pytest.raises(dsl.RuleError, match="M2"):
                dsl.compile_condition(bound, self.library, self.catalog, self.clock)
            return
        answer = self.evaluate(dsl.compile_condition(bound, self.library, self.catalog, self.clock))
        true, unknown = self.oracle.rule(dsl.parse_condition(text))
        assert members(answer, 0) == self.oneids_of(true)
        assert answer.matched(0) == len(true)
        assert answer.counts(0) == (len(true), len(unknown))
        cond = dsl.parse_condition(text)
        clauses = cond.operands if isinstance(cond, syntax.AllOf | syntax.AnyOf) else (cond,)
        assert answer.clauses(0) == [tuple(map(len, self.oracle.rule(clause))) for clause in clauses]

    def asks_about_the_future(self, text: str) -> bool:
        """Returns whether a text has `was in segment ... on` a day after as-of, which the compiler rejects (M2)."""
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
