"""What becomes of people when a rule changes: who enters its sets and who leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from quanyu.dsl import CompiledRule, differences
from quanyu.dsl.model.library import Rule
from quanyu.dsl.planning.sets import moves, required
from quanyu.dsl.planning.values import Json
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.evaluation.context import Reading, kind_of
from quanyu.tagging.preview.sampling import sample

# People shown of those who enter, and of those who leave.
SHOWN = 10
_ROOTS = 3


@dataclass(frozen=True, slots=True)
class Pair:
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
class Comparison:
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
class Change:
    """A rule from one version to another, in words and in people. `error`: why people cannot be compared."""

    name: str
    kind: str
    from_version: int
    to_version: int
    differences: list[str]
    comparisons: list[Comparison]
    error: str


@dataclass(frozen=True, slots=True)
class Step:
    """From a version to another one; both are in the library."""

    name: str
    from_version: int
    to_version: int


@dataclass(frozen=True, slots=True)
class Changes:
    """As of one instant, at one version of the index."""

    as_of_ms: int
    changes: list[Change]
    compiled: list[CompiledRule]
    answer: Answer


def pairs_of(name: str, version: int, old: CompiledRule, new: CompiledRule) -> list[Pair]:
    """Of a segment one; of a tag one for each value that either gives, the new one's first."""
    if not (old.values or new.values):
        return [Pair(name, version, old.roots, new.roots, old.clauses, new.clauses)]
    values = dict.fromkeys((*new.values, *old.values))
    return [Pair(f"{name}: {value}", version, _giving(old, value), _giving(new, value), [], []) for value in values]


def _giving(tag: CompiledRule, value: str) -> list[Json]:
    return [root for root, given in zip(tag.roots, tag.values, strict=True) if given == value]


def pair_roots(pairs: Sequence[Pair]) -> list[Json]:
    """What to ask of people to compare the pairs."""
    return [root for pair in pairs for root in moves(pair.old, pair.new)]


def compared(reading: Reading, index: Index, answer: Answer, first: int, pairs: Sequence[Pair]) -> list[Comparison]:
    """From an answer in which `pair_roots(pairs)` begin at root `first`."""
    return [_compared(reading, index, answer, first + _ROOTS * n, pair) for n, pair in enumerate(pairs)]


def _compared(reading: Reading, index: Index, answer: Answer, at: int, pair: Pair) -> Comparison:
    entering, leaving, staying = (answer.matched(at + n) for n in range(_ROOTS))
    samples = sample(answer, at, SHOWN), sample(answer, at + 1, SHOWN)
    kept_out = (
        _kept_out_by(reading, index, pair.old, pair.old_clauses, samples[0]),
        _kept_out_by(reading, index, pair.new, pair.new_clauses, samples[1]),
    )
    return Comparison(pair.name, pair.version, entering, leaving, staying, *samples, *kept_out)


def _kept_out_by(
    reading: Reading, index: Index, roots: Sequence[Json], texts: Sequence[str], persons: list[int]
) -> list[str]:
    """The first clause that does not hold of each of these people; none of a tag."""
    clauses = required(roots[0]) if texts and persons else []
    said = reading.verdicts(index, clauses, persons) if clauses else []
    return [
        next((text for text, holds in zip(texts, said, strict=False) if not holds[n]), "") for n in range(len(persons))
    ]


def changes(reading: Reading, index: Index, steps: Sequence[Step]) -> Changes:
    """All of them at one version of the index."""
    asked = [_asked(reading, step) for step in steps]
    pairs = [pair for one in asked for pair in one.pairs]
    answer = reading.find_roots(index, pair_roots(pairs))
    comparisons = iter(compared(reading, index, answer, 0, pairs))
    made = [
        _in_words(reading, step, list(islice(comparisons, len(one.pairs))), one.error)
        for step, one in zip(steps, asked, strict=True)
    ]
    return Changes(reading.clock.as_of_ms, made, [rule for one in asked for rule in one.compiled], answer)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of people for a step; of rules that are no sets nothing."""

    compiled: tuple[CompiledRule, ...] = ()
    pairs: tuple[Pair, ...] = ()
    error: str = ""


def _asked(reading: Reading, step: Step) -> _Asked:
    try:
        old, new = (reading.compile_set(step.name, version) for version in (step.from_version, step.to_version))
    except InvalidInput as refusal:
        return _Asked(error=refusal.message)
    if old is None or new is None:
        return _Asked()
    return _Asked((old, new), tuple(pairs_of(step.name, step.from_version, old, new)))


def _in_words(reading: Reading, step: Step, comparisons: list[Comparison], error: str) -> Change:
    library = reading.library
    old, new = (_published(reading, step.name, version) for version in (step.from_version, step.to_version))
    words = differences(old, new, library, library, reading.catalog)
    return Change(step.name, kind_of(new), step.from_version, step.to_version, words, comparisons, error)


def _published(reading: Reading, name: str, version: int) -> Rule:
    rule = reading.library.get(name, version)
    assert rule is not None
    return rule
