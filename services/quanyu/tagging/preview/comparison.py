"""What becomes of people when a rule changes: who enters its sets and who leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from quanyu.dsl import CompiledRule, describe_differences
from quanyu.dsl.model.library import Rule
from quanyu.dsl.planning.sets import moves, required
from quanyu.dsl.planning.values import Json
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.preview.sampling import sample

# People shown of those who enter, and of those who leave.
SHOWN = 10
_ROOTS = 3


@dataclass(frozen=True, slots=True)
class SetPair:
    """A segment, or one value of a tag: the roots of the published `version`, and the roots that are to replace it.

    `old_clauses`, `new_clauses`: of a segment, the texts of its clauses.
    """

    name: str
    version: int
    old: list[Json]
    new: list[Json]
    old_clauses: list[str]
    new_clauses: list[str]


@dataclass(frozen=True, slots=True)
class SetComparison:
    """From one set of people to another; samples are OneIDs.

    `entering_clauses`: for each of the sample the clause of the old version that kept them out; `leaving_clauses`: the
    one of the new version. Empty where no single clause does.
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
    """A rule from one version to another, in words and in people. `error`: why people cannot be compared."""

    name: str
    kind: str
    from_version: int
    to_version: int
    differences: list[str]
    comparisons: list[SetComparison]
    error: str


@dataclass(frozen=True, slots=True)
class VersionPair:
    """From a version to another one; both are in the library."""

    name: str
    from_version: int
    to_version: int


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """As of one instant, at one version of the index."""

    as_of_ms: int
    changes: list[RuleChange]
    compiled: list[CompiledRule]
    answer: Answer


def pair_sets(name: str, version: int, old: CompiledRule, new: CompiledRule) -> list[SetPair]:
    """Of a segment one; of a tag one for each value that either gives, the new one's first."""
    if not (old.values or new.values):
        return [SetPair(name, version, old.roots, new.roots, old.clauses, new.clauses)]
    values = dict.fromkeys((*new.values, *old.values))
    return [
        SetPair(f"{name}: {value}", version, _roots_giving(old, value), _roots_giving(new, value), [], [])
        for value in values
    ]


def _roots_giving(tag: CompiledRule, value: str) -> list[Json]:
    return [root for root, given in zip(tag.roots, tag.values, strict=True) if given == value]


def pair_roots(pairs: Sequence[SetPair]) -> list[Json]:
    """What to ask of people to compare the pairs."""
    return [root for pair in pairs for root in moves(pair.old, pair.new)]


def read_comparisons(
    evaluation: EvaluationContext, index: Index, answer: Answer, first: int, pairs: Sequence[SetPair]
) -> list[SetComparison]:
    """From an answer in which `pair_roots(pairs)` begin at root `first`."""
    return [_read_comparison(evaluation, index, answer, first + _ROOTS * n, pair) for n, pair in enumerate(pairs)]


def _read_comparison(
    evaluation: EvaluationContext, index: Index, answer: Answer, at: int, pair: SetPair
) -> SetComparison:
    entering, leaving, staying = (answer.matched(at + n) for n in range(_ROOTS))
    samples = sample(answer, at, SHOWN), sample(answer, at + 1, SHOWN)
    kept_out = (
        _excluding_clauses(evaluation, index, pair.old, pair.old_clauses, samples[0]),
        _excluding_clauses(evaluation, index, pair.new, pair.new_clauses, samples[1]),
    )
    return SetComparison(pair.name, pair.version, entering, leaving, staying, *samples, *kept_out)


def _excluding_clauses(
    evaluation: EvaluationContext, index: Index, roots: Sequence[Json], texts: Sequence[str], persons: list[int]
) -> list[str]:
    """The first clause that does not hold of each of these people; none of a tag."""
    clauses = required(roots[0]) if texts and persons else []
    said = evaluation.verdicts(index, clauses, persons) if clauses else []
    return [
        next((text for text, holds in zip(texts, said, strict=False) if not holds[n]), "") for n in range(len(persons))
    ]


def compare_versions(evaluation: EvaluationContext, index: Index, steps: Sequence[VersionPair]) -> RuleChanges:
    """All of them at one version of the index."""
    asked = [_compile_versions(evaluation, step) for step in steps]
    pairs = [pair for one in asked for pair in one.pairs]
    answer = evaluation.find_roots(index, pair_roots(pairs))
    comparisons = iter(read_comparisons(evaluation, index, answer, 0, pairs))
    made = [
        _describe_change(evaluation, step, list(islice(comparisons, len(one.pairs))), one.error)
        for step, one in zip(steps, asked, strict=True)
    ]
    return RuleChanges(evaluation.clock.as_of_ms, made, [rule for one in asked for rule in one.compiled], answer)


@dataclass(frozen=True, slots=True)
class _CompiledVersions:
    """What is asked of people for a step; of rules that are no sets nothing."""

    compiled: tuple[CompiledRule, ...] = ()
    pairs: tuple[SetPair, ...] = ()
    error: str = ""


def _compile_versions(evaluation: EvaluationContext, step: VersionPair) -> _CompiledVersions:
    try:
        old, new = (
            evaluation.compile_segment_or_tag(step.name, version) for version in (step.from_version, step.to_version)
        )
    except InvalidInput as refusal:
        return _CompiledVersions(error=refusal.message)
    if old is None or new is None:
        return _CompiledVersions()
    return _CompiledVersions((old, new), tuple(pair_sets(step.name, step.from_version, old, new)))


def _describe_change(
    evaluation: EvaluationContext, step: VersionPair, comparisons: list[SetComparison], error: str
) -> RuleChange:
    library = evaluation.library
    old, new = (_published_rule(evaluation, step.name, version) for version in (step.from_version, step.to_version))
    words = describe_differences(old, new, library, library, evaluation.catalog)
    return RuleChange(step.name, kind_of(new), step.from_version, step.to_version, words, comparisons, error)


def _published_rule(evaluation: EvaluationContext, name: str, version: int) -> Rule:
    rule = evaluation.library.get(name, version)
    assert rule is not None
    return rule
