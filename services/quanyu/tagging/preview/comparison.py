"""Compares two versions of a rule: who enters its sets, who leaves them and who stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from quanyu.dsl import CompiledRule, describe_differences
from quanyu.dsl.model.library import Rule
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.planning.sets import moved_roots, required_clauses
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.preview.sampling import sample

# The largest sample of those who enter, and of those who leave.
SHOWN = 10
_ROOTS = 3


@dataclass(frozen=True, slots=True)
class SetPair:
    """The old and new roots of a segment or of one value of a tag; `version` is that of the old roots.

    `old_clauses`, `new_clauses`: the texts of a segment's clauses; empty for a tag.
    """

    name: str
    version: int
    old: list[Root]
    new: list[Root]
    old_clauses: list[str]
    new_clauses: list[str]


@dataclass(frozen=True, slots=True)
class SetComparison:
    """The numbers of people who enter, leave and stay in a set; samples are OneIDs.

    `entering_clauses`: for each person of the sample, the clause of the old version that excluded them;
    `leaving_clauses`: the clause of the new version that excludes them. Empty if no single clause does.
    """

    name: str
    version: int
    entering: int
    leaving: int
    staying: int
    entering_sample: list[int]
    leaving_sample: list[int]
    entering_clauses: list[str]
    leaving_clauses: list[str]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """The differences between two versions of a rule, in words and in members. `error`: why there are no members."""

    name: str
    kind: str
    from_version: int
    to_version: int
    differences: list[str]
    comparisons: list[SetComparison]
    error: str


@dataclass(frozen=True, slots=True)
class VersionPair:
    """Two versions of one rule; the library holds both."""

    name: str
    from_version: int
    to_version: int


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """The changes of several rules as of one instant, from one query."""

    as_of_ms: int
    changes: list[RuleChange]
    compiled: list[CompiledRule]
    answer: Answer


def pair_sets(name: str, version: int, old: CompiledRule, new: CompiledRule) -> list[SetPair]:
    """Pairs the sets of two versions: one pair for a segment, and one for each value of a tag, new values first."""
    if not (old.values or new.values):
        return [SetPair(name, version, old.roots, new.roots, old.clauses, new.clauses)]
    values = dict.fromkeys((*new.values, *old.values))
    return [
        SetPair(f"{name}: {value}", version, _roots_giving(old, value), _roots_giving(new, value), [], [])
        for value in values
    ]


def _roots_giving(tag: CompiledRule, value: str) -> list[Root]:
    return [root for root, given in zip(tag.roots, tag.values, strict=True) if given == value]


def pair_roots(pairs: Sequence[SetPair]) -> list[Root]:
    """Returns the roots that `read_comparisons` needs, three for each pair."""
    return [root for pair in pairs for root in moved_roots(pair.old, pair.new)]


def read_comparisons(
    evaluation: EvaluationContext, index: Index, answer: Answer, first: int, pairs: Sequence[SetPair]
) -> list[SetComparison]:
    """Reads the comparisons from an answer in which `pair_roots(pairs)` begin at root `first`."""
    return [_read_comparison(evaluation, index, answer, first + _ROOTS * n, pair) for n, pair in enumerate(pairs)]


def _read_comparison(
    evaluation: EvaluationContext, index: Index, answer: Answer, at: int, pair: SetPair
) -> SetComparison:
    entering, leaving, staying = (answer.matched(at + n) for n in range(_ROOTS))
    samples = sample(answer, at, SHOWN), sample(answer, at + 1, SHOWN)
    excluding = (
        _excluding_clauses(evaluation, index, pair.old, pair.old_clauses, samples[0]),
        _excluding_clauses(evaluation, index, pair.new, pair.new_clauses, samples[1]),
    )
    return SetComparison(pair.name, pair.version, entering, leaving, staying, *samples, *excluding)


def _excluding_clauses(
    evaluation: EvaluationContext, index: Index, roots: Sequence[Root], texts: Sequence[str], persons: list[int]
) -> list[str]:
    """Returns for each person the first clause that is not true; empty for a tag, whose tiers exclude nobody alone."""
    clauses = required_clauses(roots[0]) if texts and persons else []
    verdicts = evaluation.verdicts(index, clauses, persons) if clauses else []
    return [
        next((text for text, holds in zip(texts, verdicts, strict=False) if not holds[n]), "")
        for n in range(len(persons))
    ]


def compare_versions(evaluation: EvaluationContext, index: Index, versions: Sequence[VersionPair]) -> RuleChanges:
    """Compares every pair of versions in one query, at one version of the index."""
    compiled = [_compile_versions(evaluation, pair) for pair in versions]
    pairs = [pair for one in compiled for pair in one.pairs]
    answer = evaluation.find_roots(index, pair_roots(pairs))
    comparisons = iter(read_comparisons(evaluation, index, answer, 0, pairs))
    changes = [
        _describe_change(evaluation, pair, list(islice(comparisons, len(one.pairs))), one.error)
        for pair, one in zip(versions, compiled, strict=True)
    ]
    return RuleChanges(evaluation.clock.as_of_ms, changes, [rule for one in compiled for rule in one.compiled], answer)


@dataclass(frozen=True, slots=True)
class _CompiledVersions:
    """Both versions of a rule, compiled; empty for a definition or metric, which have no members."""

    compiled: tuple[CompiledRule, ...] = ()
    pairs: tuple[SetPair, ...] = ()
    error: str = ""


def _compile_versions(evaluation: EvaluationContext, pair: VersionPair) -> _CompiledVersions:
    try:
        old, new = (
            evaluation.compile_segment_or_tag(pair.name, version) for version in (pair.from_version, pair.to_version)
        )
    except InvalidInput as error:
        return _CompiledVersions(error=error.message)
    if old is None or new is None:
        return _CompiledVersions()
    return _CompiledVersions((old, new), tuple(pair_sets(pair.name, pair.from_version, old, new)))


def _describe_change(
    evaluation: EvaluationContext, pair: VersionPair, comparisons: list[SetComparison], error: str
) -> RuleChange:
    library = evaluation.library
    old, new = (_published_rule(evaluation, pair.name, version) for version in (pair.from_version, pair.to_version))
    words = describe_differences(old, new, library, library, evaluation.catalog)
    return RuleChange(pair.name, kind_of(new), pair.from_version, pair.to_version, words, comparisons, error)


def _published_rule(evaluation: EvaluationContext, name: str, version: int) -> Rule:
    rule = evaluation.library.get(name, version)
    assert rule is not None
    return rule
