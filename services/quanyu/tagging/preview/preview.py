"""Previews a draft in one query: counts its sets and clauses, and compares them with the published version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quanyu.dsl import BoundRules, CompiledRule, compile_condition, compile_segment, compile_tag, explain
from quanyu.dsl import syntax as s
from quanyu.dsl.model.library import rule_key
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.planning.sets import funnel_roots
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
    """The number of people who match a top-level clause, and of those for whom it is unknown.

    `remaining`: the number who match this clause and all before it; None if the clauses are not joined by `and`.
    """

    text: str
    line: int
    column: int
    matched: int
    unknown: int
    remaining: int | None


@dataclass(frozen=True, slots=True)
class SetCount:
    """The number of people who match a set and each of its clauses, of unknowns, and a sample of the members."""

    name: str
    matched: int
    unknown: int
    clauses: list[ClauseCount]
    sample: list[tuple[int, list[Fact]]]


@dataclass(frozen=True, slots=True)
class Preview:
    """The sets of a draft: one count for a condition or segment, and one for each tier of a tag."""

    counts: list[SetCount]
    comparisons: list[SetComparison]
    notes: list[str]
    explanation: list[str]
    compiled: list[CompiledRule]
    answer: Answer


def preview_draft(
    evaluation: EvaluationContext, index: Index, bound: BoundRules, *, is_whole: bool = True, sample_size: int = 0
) -> Preview:
    """Previews a condition, or each segment and tag of a draft.

    `is_whole`: whether `bound` is the whole text; an incomplete text is not compared with the published version.
    `sample_size`: the number of members of each set to show. Raises RuleError if the draft cannot be compiled.
    """
    drafted = evaluation.with_draft(bound)
    explanation = explain(bound, drafted.library, drafted.catalog, drafted.clock)
    sets = _compile_sets(drafted, bound)
    if not sets:
        raise InvalidInput(
            "the text has no set of people to count: write a condition, a segment or a tag", reason="RULE_NOT_A_SET"
        )
    batch = _RootBatch()
    roots = [batch.add(one.compiled.roots) for one in sets]
    funnels = [batch.add([] if one.compiled.values else funnel_roots(one.compiled.roots[0])) for one in sets]
    notes: list[str] = []
    pairs = [pair for one in sets for pair in _pair_with_published(evaluation, one, notes)] if is_whole else []
    compared = batch.add(pair_roots(pairs))
    amounts = unknown_amounts(drafted, bound)
    amount_roots = batch.add([amount.root for amount in amounts])
    answer = drafted.count_roots(index, batch.roots)
    unknown = [(amount, answer.matched(at)) for amount, at in zip(amounts, amount_roots, strict=True)]
    notes += [amount.note(people) for amount, people in unknown if people]
    counts = [
        count
        for one, at, funnel_roots in zip(sets, roots, funnels, strict=True)
        for count in _set_counts(answer, one, at, funnel_roots, _Sampling(drafted, index, one, sample_size))
    ]
    compiled = [one.compiled for one in sets]
    return Preview(
        counts, read_comparisons(drafted, index, answer, compared.start, pairs), notes, explanation, compiled, answer
    )


@dataclass(frozen=True, slots=True)
class _RootBatch:
    """The roots of one query."""

    roots: list[Root] = field(default_factory=list)

    def add(self, roots: Sequence[Root]) -> range:
        """Adds roots; returns their places in the answer."""
        self.roots.extend(roots)
        return range(len(self.roots) - len(roots), len(self.roots))


@dataclass(frozen=True, slots=True)
class _CompiledSet:
    """A condition, segment or tag. `clauses`: its top-level clauses or tiers, in the order of the text."""

    node: s.Node
    compiled: CompiledRule
    clauses: Sequence[s.Node]


def _compile_sets(drafted: EvaluationContext, bound: BoundRules) -> list[_CompiledSet]:
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


def _pair_with_published(evaluation: EvaluationContext, one: _CompiledSet, notes: list[str]) -> list[SetPair]:
    """Pairs a segment or tag with its newest published version; adds a note if that version cannot be compiled now."""
    if not isinstance(one.node, s.Segment | s.Tag):
        return []
    name = one.node.ref.name
    newest = evaluation.library.newest(name)
    try:
        old = evaluation.compile_segment_or_tag(name, newest)
    except InvalidInput as error:
        notes.append(f"there is no comparison with the published {name}@{newest}: {error.message}")
        return []
    return [] if old is None else pair_sets(name, newest, old, one.compiled)


@dataclass(frozen=True, slots=True)
class _Sampling:
    """Draws members of a set, with the facts that its rule names."""

    drafted: EvaluationContext
    index: Index
    one: _CompiledSet
    size: int

    def people(self, answer: Answer, root: int) -> list[tuple[int, list[Fact]]]:
        """Returns a random sample of the people of a root, and the facts that decide about each."""
        persons = sample(answer, root, self.size)
        return list(zip(persons, facts(self.drafted, self.index, self.one.node, persons), strict=True))


def _set_counts(
    answer: Answer, one: _CompiledSet, roots: range, funnel_roots: range, sampling: _Sampling
) -> list[SetCount]:
    # A tag has a root for each clause; any other rule has one root for all its clauses.
    is_tag = bool(one.compiled.values)
    found = []
    for n, at in enumerate(roots):
        part = slice(n, n + 1) if is_tag else slice(None)
        clauses = _clause_counts(answer, at, one.compiled.clauses[part], one.clauses[part], funnel_roots)
        name = one.compiled.roots[n].name
        found.append(SetCount(name, *answer.counts(at), clauses, sampling.people(answer, at)))
    return found


def _clause_counts(
    answer: Answer, root: int, texts: Sequence[str], nodes: Sequence[s.Node], funnel_roots: range
) -> list[ClauseCount]:
    counts = answer.clauses(root)
    remaining: Sequence[int | None] = [answer.matched(at) for at in funnel_roots] or [None] * len(texts)
    return [
        ClauseCount(text, node.span.line, node.span.column, *count, after)
        for text, node, count, after in zip(texts, nodes, counts, remaining, strict=True)
    ]
