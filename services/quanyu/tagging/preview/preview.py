"""What a text would select, counted in one pass: clause by clause, and beside the version that is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quanyu.dsl import BoundRules, CompiledRule, compile_condition, compile_segment, compile_tag, explain
from quanyu.dsl import syntax as s
from quanyu.dsl.model.library import rule_key
from quanyu.dsl.planning.sets import funnel
from quanyu.dsl.planning.values import Json
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.preview.amounts import unknown_amounts
from quanyu.tagging.preview.comparison import (
    SetComparison,
    SetPair,
    pair_roots,
    pair_sets,
    read_comparisons,
)
from quanyu.tagging.preview.sampled_facts import Fact, facts
from quanyu.tagging.preview.sampling import sample


@dataclass(frozen=True, slots=True)
class ClauseCount:
    """True and unknown of a top-level clause, and how many are left after it where all must hold."""

    text: str
    line: int
    column: int
    matched: int
    unknown: int
    remaining: int | None


@dataclass(frozen=True, slots=True)
class SetCount:
    """How many a set has: true, unknown, and the same for each top-level clause; and some of its people."""

    name: str
    matched: int
    unknown: int
    clauses: list[ClauseCount]
    sample: list[tuple[int, list[Fact]]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a text would select: one count for a condition or segment, one per tier for a tag."""

    counts: list[SetCount]
    comparisons: list[SetComparison]
    notes: list[str]
    explanation: list[str]
    compiled: list[CompiledRule]
    answer: Answer


def preview_draft(
    evaluation: EvaluationContext, index: Index, bound: BoundRules, *, is_whole: bool = True, sample_size: int = 0
) -> Preview:
    """Of a lone condition, or of each segment and tag of a text that need not be published.

    Where it is not the whole of what was written, it is compared with nothing. `sampled`: how many people of each set
    to show. RuleError where it cannot be compiled.
    """
    drafted = evaluation.with_draft(bound)
    explanation = explain(bound, drafted.library, drafted.catalog, drafted.clock)
    sets = _sets(drafted, bound)
    if not sets:
        raise InvalidInput("there is nobody to count: give a condition, a segment or a tag", reason="RULE_NOT_A_SET")
    asked = _RootBatch()
    roots = [asked.add(one.compiled.roots) for one in sets]
    funnels = [asked.add([] if one.compiled.values else funnel(one.compiled.roots[0])) for one in sets]
    notes: list[str] = []
    pairs = [pair for one in sets for pair in _published(evaluation, one, notes)] if is_whole else []
    moving = asked.add(pair_roots(pairs))
    amounts = unknown_amounts(drafted, bound)
    lacking = asked.add([amount.root for amount in amounts])
    answer = drafted.count_roots(index, asked.roots)
    unknown = [(amount, answer.matched(at)) for amount, at in zip(amounts, lacking, strict=True)]
    notes += [amount.note(people) for amount, people in unknown if people]
    counts = [
        count
        for one, at, left in zip(sets, roots, funnels, strict=True)
        for count in _counts(answer, one, at, left, _Sampling(drafted, index, one, sample_size))
    ]
    compiled = [one.compiled for one in sets]
    return Preview(
        counts, read_comparisons(drafted, index, answer, moving.start, pairs), notes, explanation, compiled, answer
    )


@dataclass(frozen=True, slots=True)
class _RootBatch:
    """Everything that is asked at once."""

    roots: list[Json] = field(default_factory=list)

    def add(self, roots: Sequence[Json]) -> range:
        """The places of these roots in the answer."""
        self.roots.extend(roots)
        return range(len(self.roots) - len(roots), len(self.roots))


@dataclass(frozen=True, slots=True)
class _CompiledSet:
    """A condition, segment or tag. `clauses`: as they stand in the text."""

    node: s.Node
    compiled: CompiledRule
    clauses: Sequence[s.Node]


def _sets(drafted: EvaluationContext, bound: BoundRules) -> list[_CompiledSet]:
    library, catalog, clock = drafted.library, drafted.catalog, drafted.clock
    if bound.condition is not None:
        return [
            _CompiledSet(bound.condition, compile_condition(bound, library, catalog, clock), _parts(bound.condition))
        ]
    found = []
    for rule in bound.statements:
        if isinstance(rule, s.Segment):
            found.append(
                _CompiledSet(rule, compile_segment(*rule_key(rule), library, catalog, clock), _parts(rule.cond))
            )
        elif isinstance(rule, s.Tag):
            found.append(_CompiledSet(rule, compile_tag(*rule_key(rule), library, catalog, clock), [*rule.tiers, rule]))
    return found


def _parts(cond: s.Cond) -> Sequence[s.Cond]:
    return cond.operands if isinstance(cond, (s.AllOf, s.AnyOf)) else (cond,)


def _published(evaluation: EvaluationContext, one: _CompiledSet, notes: list[str]) -> list[SetPair]:
    """Beside the newest version that is published; a note where that one has no meaning at the instant asked for."""
    if not isinstance(one.node, s.Segment | s.Tag):
        return []
    name = one.node.ref.name
    newest = evaluation.library.newest(name)
    try:
        old = evaluation.compile_segment_or_tag(name, newest)
    except InvalidInput as refusal:
        notes.append(f"nothing is compared with {name}@{newest}, which is published: {refusal.message}")
        return []
    return [] if old is None else pair_sets(name, newest, old, one.compiled)


@dataclass(frozen=True, slots=True)
class _Sampling:
    """So many people of a set, with what the set's rule asks of them."""

    drafted: EvaluationContext
    index: Index
    one: _CompiledSet
    size: int

    def people(self, answer: Answer, root: int) -> list[tuple[int, list[Fact]]]:
        persons = sample(answer, root, self.size)
        return list(zip(persons, facts(self.drafted, self.index, self.one.node, persons), strict=True))


def _counts(answer: Answer, one: _CompiledSet, roots: range, left: range, sampling: _Sampling) -> list[SetCount]:
    # A tag's clauses are one per root, any other rule has one root.
    is_tag = bool(one.compiled.values)
    found = []
    for n, at in enumerate(roots):
        part = slice(n, n + 1) if is_tag else slice(None)
        clauses = _clauses(answer, at, one.compiled.clauses[part], one.clauses[part], left)
        name = str(one.compiled.roots[n]["name"])
        found.append(SetCount(name, *answer.counts(at), clauses, sampling.people(answer, at)))
    return found


def _clauses(
    answer: Answer, root: int, texts: Sequence[str], nodes: Sequence[s.Node], left: range
) -> list[ClauseCount]:
    counts = answer.clauses(root)
    remaining: Sequence[int | None] = [answer.matched(at) for at in left] or [None] * len(texts)
    return [
        ClauseCount(text, node.span.line, node.span.column, *count, after)
        for text, node, count, after in zip(texts, nodes, counts, remaining, strict=True)
    ]
