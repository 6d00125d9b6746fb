"""Runs the `test` blocks of a text, each in a workspace of its own and at its own instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from quanyu.dsl import (
    CompiledRule,
    RuleError,
    build_plan,
    check_and_bind,
    compile_condition,
    compile_segment,
    compile_tag,
    format_rule,
)
from quanyu.dsl import syntax as s
from quanyu.dsl.binding.checker import versions_of
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.binding.rule_test_blocks import expected_condition
from quanyu.dsl.calendar.windows import when_ms
from quanyu.dsl.errors import attach_text
from quanyu.dsl.model.library import rule_key
from quanyu.dsl.planning.sets import clauses_of_root
from quanyu.engine import InvalidError
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.rule_tests.fixtures import (
    GivenFact,
    identifier_of,
    raise_first_reject,
    record_of,
)
from quanyu.tagging.rule_tests.in_memory_workspace import build_in_memory_workspace

Expectation = s.ThenIn | s.ThenNotIn | s.ThenValue
_WORDS = {True: "true", False: "false", None: "unknown"}
# Attributes that are computed from events of all types.
_SEEN = frozenset({"channel", "first_seen", "last_seen"})


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """The result of one test. `line`: first line of its block, from 1. `failures`: a message for each failure."""

    name: str
    line: int
    failures: list[str]


def run_rule_tests(evaluation: EvaluationContext, schema: bytes, text: str) -> list[RuleTestResult]:
    """Runs the tests of a draft. `schema`: the declared schema's bytes. Raises RuleError if the text is wrong."""
    with attach_text(text):
        bound = check_and_bind(text, evaluation.catalog, evaluation.library)
        drafted = replace(evaluation, library=evaluation.library.publish(bound))
        return [_RuleTest(test, text, drafted, schema).result() for test in bound.tests]


class _RuleTest:
    """One test: its workspace and its expectations."""

    def __init__(self, test: s.Test, text: str, evaluation: EvaluationContext, schema: bytes) -> None:
        self._test, self._text = test, text
        people = {name: number for number, name in enumerate(dict.fromkeys(fact.person for fact in test.given))}
        records = [record_of(fact, people[fact.person], evaluation.catalog, evaluation.clock) for fact in test.given]
        workspace = build_in_memory_workspace(schema, records)
        raise_first_reject(workspace.rejects, test.given, evaluation.catalog)
        self._index, self._limits = workspace.index, evaluation.limits
        self._persons = {name: workspace.person(identifier_of(number)) for name, number in people.items()}
        as_of_ms = when_ms(test.as_of, evaluation.clock)
        self._clock = replace(evaluation.clock, as_of_ms=as_of_ms, earliest_ms=workspace.index.earliest_ms())
        self._rules = (evaluation.library, evaluation.catalog, self._clock)
        self._scope = Scope(evaluation.catalog, evaluation.library)

    def result(self) -> RuleTestResult:
        failures = [why for then in self._test.then for why in self._failure(then)]
        return RuleTestResult(self._test.name, self._test.span.line, failures)

    def _failure(self, then: Expectation) -> Iterator[str]:
        """Yields a message if the expectation fails. `not in` also holds if the person has no record yet (U5)."""
        place = f"line {then.span.line}: {self._source_text(then)}"
        try:
            cond = Conditions().bind(expected_condition(then), self._scope)
            (verdict,) = self._verdicts(self._condition(cond), then.person)
            if (verdict is True) is not isinstance(then, s.ThenNotIn):
                return
            verdicts = [f"  {_WORDS[verdict]}: {clause}" for clause, verdict in self._clauses(cond, then.person)]
        except (RuleError, InvalidError) as error:
            yield f"{place}: this cannot be evaluated: {error}"
            return
        as_of = f"{self._clock.local_time(self._clock.as_of_ms):%Y-%m-%d %H:%M} ({self._clock.zone})"
        given = [f"  {self._source_text(fact)}" for fact in self._facts(cond, then.person)]
        nothing = f"  the test gives no fact about {then.person} that this reads"
        yield "\n".join([f"{place}: this is {_WORDS[verdict]} as of {as_of}", *verdicts, *(given or [nothing])])

    def _clauses(self, cond: s.Cond, person: str) -> Iterator[tuple[str, bool | None]]:
        """Yields each clause of the segments, and each tier of the tags, that the condition names, with its verdict."""
        for ref in (node for node in s.walk(cond) if isinstance(node, s.Ref)):
            rule = self._scope.rules.get(ref.name, ref.version or 0)
            if isinstance(rule, s.Segment) and rule.among:
                among = self._condition(s.InSegment(rule.among))
                yield f"among {format_rule(s.Path(rule.among))}", self._verdicts(among, person)[0]
            if isinstance(rule, s.Segment | s.Tag):
                compiled = self._clause_by_clause(rule)
                yield from zip(compiled.clauses, self._verdicts(compiled, person), strict=True)

    def _clause_by_clause(self, rule: s.Segment | s.Tag) -> CompiledRule:
        """Compiles a rule with a root for each clause or tier, each within the population of the rule."""
        name, version = rule_key(rule)
        if isinstance(rule, s.Tag):
            return compile_tag(name, version, *self._rules)
        compiled = compile_segment(name, version, *self._rules)
        (root,) = compiled.roots
        return replace(compiled, roots=[replace(root, cond=clause) for clause in clauses_of_root(root)])

    def _facts(self, cond: s.Cond, person: str) -> list[GivenFact]:
        """Returns the given facts about the person that the condition and the rules that it uses read."""
        library, catalog, _ = self._rules
        used = [library.get(*parse_reference(label)) for label in versions_of([cond], catalog, library)]
        nodes = [node for part in (cond, *used) if part is not None for node in s.walk(part)]
        names = {node.name for node in nodes if isinstance(node, s.Ref | s.Key)}
        names |= {name.partition("_")[2] for name in names if name.startswith(("first_", "last_"))}

        def is_read(fact: GivenFact) -> bool:
            if isinstance(fact, s.GivenEvent):
                return fact.ref.name in names or not names.isdisjoint(_SEEN)
            return any(attr.name.partition("@")[0] in names for attr in fact.attrs)

        return [fact for fact in self._test.given if fact.person == person and is_read(fact)]

    def _condition(self, cond: s.Cond) -> CompiledRule:
        return compile_condition(cond, *self._rules)

    def _verdicts(self, compiled: CompiledRule, person: str) -> list[bool | None]:
        plan = build_plan(self._clock.as_of_ms, compiled)
        rows = self._index.verdicts(plan, [self._persons[person]], limits=self._limits)
        return [verdict for (verdict,) in rows]

    def _source_text(self, node: s.Node) -> str:
        """Returns the text of a node, in one line."""
        return " ".join(self._text[node.span.start : node.span.end].split())
