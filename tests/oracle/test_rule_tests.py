"""Runs `test` blocks that expect the results of the naive evaluator, which pass, or the opposite, which fail."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, note

from quanyu import dsl
from quanyu.dsl.model.library import Rule
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.rule_tests.runner import run_rule_tests
from tests.oracle.evaluator.evaluator import Oracle
from tests.oracle.generators.conditions import LIBRARY, conditions
from tests.oracle.generators.worlds import worlds
from tests.oracle.world import CHANNELS, SINCE_ALWAYS, Change, Event, Instant, World, schema
from tests.seed import examples

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

# Samples depend on OneIDs, which are unknown before the test runs; the compiler rejects days after as-of.
UNTESTABLE = re.compile(r"sample|lucky|shanghai|was in segment \w+ on|former")


class WrittenWorld:
    """A world that a `test` block can state: times to the minute, untimed attributes, no maps, scores or catalogs."""

    def __init__(self, world: World) -> None:
        self.clock = clock_of(schema(world).settings, 0, 0)
        events = {(r.source, r.id): r for r in world.records if isinstance(r, Event)}.values()
        held: dict[int, dict[str, object]] = {}
        for change in (r for r in world.records if isinstance(r, Change)):
            held.setdefault(change.person, {}).update(self.given(change.attributes))
        facts = [replace(event, at=self.minute(event.at)) for event in events]
        people = [Change(person, "", "", SINCE_ALWAYS, values, ()) for person, values in held.items() if values]
        # Keys follow the order of the text, which orders events at one instant.
        self.records = [replace(fact, source="test", id=f"{n:06}") for n, fact in enumerate([*facts, *people])]
        nothing: dict[str, dict[str, dict[str, object]]] = {"store": {}, "product": {}}
        as_of = self.minute(world.as_of)
        self.world = replace(world, as_of=as_of, records=tuple(self.records), catalogs=nothing, splits=())

    def given(self, attributes: dict[str, object]) -> dict[str, object]:
        """Returns the attributes that a `test` block can state."""
        return {
            name: Instant(self.minute(value)) if isinstance(value, Instant) else value
            for name, value in attributes.items()
            if not isinstance(value, dict | None) and value != frozenset() and "@" not in name
        }

    def minute(self, ms: int) -> int:
        return self.clock.wall_ms(self.wall(ms))

    def wall(self, ms: int) -> dt.datetime:
        return self.clock.local_time(ms).replace(second=0, microsecond=0, tzinfo=None, fold=0)

    def block(self, expected: list[str]) -> str:
        lines = [self.fact(record) for record in self.records]
        as_of = self.wall(self.world.as_of)
        return "\n".join(["test 'it' {", *lines, f"when as of {as_of:%Y-%m-%d %H:%M}", *expected, "}"])

    def fact(self, record: Event | Change) -> str:
        if isinstance(record, Change):
            return f"given p{record.person} {{{self.values(record.attributes)}}}"
        given = f"given p{record.person} did {record.type} at {self.wall(record.at):%Y-%m-%d %H:%M}"
        values = self.values(record.properties | ({"channel": record.channel} if record.channel else {}))
        return f"{given} {{{values}}}" if values else given

    def values(self, held: dict[str, object]) -> str:
        return ", ".join(f"{name}: {self.value(value)}" for name, value in held.items())

    def value(self, value: object) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case Instant():
                return f"{self.wall(value):%Y-%m-%d %H:%M}"
            case Fraction():
                return f"{float(value):.6f}"
            case frozenset():
                return f"[{', '.join(repr(item) for item in sorted(value))}]"
            case (int(month), int(day)):
                return f"'{month:02}-{day:02}'"
            case tuple():
                return str(value)
            case dt.date():
                return value.isoformat()
        return repr(value)


def expectations(oracle: Oracle, rules: list[str], is_opposite: bool) -> list[str]:
    """Returns each person's membership of `s0`, `s1` ... and the value of a tag, or the opposite of each."""
    people, expected = oracle.world.people(), []
    for n, text in enumerate(rules):
        true, _ = oracle.rule(dsl.parse_condition(text))
        words = {True: "", False: "not "}
        expected += [f"then p{person} {words[(person in true) is not is_opposite]}in segment s{n}" for person in people]
    values = {person: oracle.tag("frequency", person) for person in oracle.universe}
    others = {"heavy": "light", "medium": "heavy", "light": "medium"}
    return expected + [
        f"then p{person}.frequency = '{others[value] if is_opposite else value}'" for person, value in values.items()
    ]


@examples(15)
@given(worlds(), st.lists(conditions(), min_size=4, max_size=4), st.booleans())
def test_expectations_of_the_naive_evaluator_pass_and_their_opposites_fail(
    world: World, texts: list[str], is_opposite: bool
) -> None:
    written = WrittenWorld(world)
    rules = [text for text in texts if not UNTESTABLE.search(text)]
    statements = {rule.ref.name: rule for rule in dsl.parse(LIBRARY).statements if isinstance(rule, Rule)}
    expected = expectations(Oracle(written.world, statements, {}), rules, is_opposite)
    assume(expected)
    segments = [f"segment s{n}: {text}" for n, text in enumerate(rules)]
    text = "\n".join([written.block(expected), *segments, LIBRARY])
    note(text)
    declared = schema(written.world)
    evaluation = EvaluationContext(catalog_of(declared, CHANNELS), dsl.Library(), written.clock)
    (result,) = run_rule_tests(evaluation, declared.SerializeToString(), text)
    assert not any("cannot be evaluated" in failure for failure in result.failures)
    assert len(result.failures) == (len(expected) if is_opposite else 0), "\n".join(result.failures)
