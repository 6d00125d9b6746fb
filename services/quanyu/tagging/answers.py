"""Parts of tagging's answers that several calls share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import CompiledRule, Completions, Finding, Language, LeftOut, Library, RuleError
from quanyu.engine import Answer
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.comparison import Change, Comparison
from quanyu.tagging.domain import Explained, kind_of, reason_of
from quanyu.tagging.impact import Impact
from quanyu.tagging.live import Status
from quanyu.tagging.overlap import Overlap
from quanyu.tagging.preview import Count, Preview
from quanyu.tagging.tables import PublishedRule
from quanyu.tagging.trial import Outcome

KINDS = {
    "define": pb.Rule.KIND_DEFINE,
    "metric": pb.Rule.KIND_METRIC,
    "segment": pb.Rule.KIND_SEGMENT,
    "tag": pb.Rule.KIND_TAG,
}


def epoch_message(epoch: tuple[int, int]) -> event_pb2.Epoch:
    """Of the index: (raw offset complete up to, arrival of the newest frame in ms)."""
    return event_pb2.Epoch(raw_offset=epoch[0], received_at=timestamp(epoch[1]))


def basis_message(answer: Answer, as_of_ms: int, compiled: Sequence[CompiledRule]) -> pb.Basis:
    return pb.Basis(
        epoch=epoch_message(answer.epoch),
        as_of=timestamp(as_of_ms),
        windows=_windows(compiled),
        versions=sorted({version for rule in compiled for version in rule.versions}),
        milliseconds=answer.microseconds / 1000,
    )


def preview_message(preview: Preview, left_out: Sequence[LeftOut], as_of_ms: int) -> pb.PreviewRuleResponse:
    """`left_out`: clauses of its one set that are wrong."""
    response = pb.PreviewRuleResponse(
        sets=[_set_message(counted) for counted in preview.counts],
        comparisons=[comparison_message(comparison) for comparison in preview.comparisons],
        notes=preview.notes,
        explanation=preview.explanation,
        basis=basis_message(preview.answer, as_of_ms, preview.compiled),
        universe=preview.answer.universe,
    )
    for clause in left_out:
        wrong = pb.ClauseCount(text=clause.text, line=clause.line, column=clause.column, left_out=True)
        response.sets[0].clauses.append(wrong)
    for counted in response.sets:
        counted.clauses.sort(key=lambda clause: (clause.line, clause.column))
    return response


def _set_message(counted: Count) -> pb.SetCount:
    clauses = [
        pb.ClauseCount(
            text=clause.text,
            matched=clause.matched,
            unknown=clause.unknown,
            line=clause.line,
            column=clause.column,
            remaining=clause.remaining,
        )
        for clause in counted.clauses
    ]
    sample = [
        pb.PersonSample(person=person, facts=[pb.Fact(name=name, value=value) for name, value in facts])
        for person, facts in counted.sample
    ]
    return pb.SetCount(
        name=counted.name, matched=counted.matched, unknown=counted.unknown, clauses=clauses, sample=sample
    )


def comparison_message(comparison: Comparison) -> pb.Comparison:
    return pb.Comparison(
        name=comparison.name,
        version=comparison.version,
        entering=comparison.entering,
        leaving=comparison.leaving,
        staying=comparison.staying,
        entering_sample=comparison.entering_sample,
        leaving_sample=comparison.leaving_sample,
        entering_clauses=comparison.entering_clauses,
        leaving_clauses=comparison.leaving_clauses,
    )


def change_message(change: Change) -> pb.RuleChange:
    return pb.RuleChange(
        name=change.name,
        kind=KINDS[change.kind],
        from_version=change.from_version,
        to_version=change.to_version,
        differences=change.differences,
        comparisons=[comparison_message(comparison) for comparison in change.comparisons],
        error=change.error,
    )


def impact_message(impact: Impact, as_of_ms: int) -> pb.DescribeImpactResponse:
    return pb.DescribeImpactResponse(
        changed=[change_message(change) for change in impact.changed],
        dependents=[change_message(change) for change in impact.dependents],
        left_out=impact.left_out,
        basis=basis_message(impact.answer, as_of_ms, impact.compiled),
    )


def dependent_message(user: tuple[str, int], library: Library, *, direct: bool) -> pb.Dependent:
    """`user`: name and version of a rule of the library."""
    name, version = user
    kind = KINDS[kind_of(library.rules[user])]
    return pb.Dependent(name=name, version=version, kind=kind, direct=direct, newest=library.newest(name) == version)


def overlap_message(overlap: Overlap, as_of_ms: int) -> pb.DescribeOverlapResponse:
    return pb.DescribeOverlapResponse(
        sets=[pb.SetCount(name=name, matched=matched, unknown=unknown) for name, matched, unknown in overlap.sets],
        patterns=[pb.OverlapPattern(sets=sets, people=people) for sets, people in overlap.patterns],
        outside=overlap.outside,
        universe=overlap.answer.universe,
        basis=basis_message(overlap.answer, as_of_ms, overlap.compiled),
    )


def rule_message(rule: PublishedRule) -> pb.Rule:
    return pb.Rule(
        name=rule.name,
        version=rule.version,
        kind=KINDS[rule.kind],
        text=rule.text,
        author=rule.author,
        published_at=timestamp(rule.published_at_ms),
    )


def segment_message(status: Status, now_ms: int) -> pb.LiveSegment:
    name, version, count, digest, fresh, error = status
    message = pb.LiveSegment(segment=name, version=version, count=count, digest=digest, error=error or "")
    if fresh is not None:
        message.epoch.CopyFrom(epoch_message(fresh[:2]))
        message.as_of.CopyFrom(timestamp(fresh[2]))
        message.lag_ms = max(now_ms - fresh[2], 0)
    return message


def diagnostic_message(error: RuleError) -> pb.Diagnostic:
    return pb.Diagnostic(
        message=error.message,
        line=error.line,
        column=error.column,
        reason=reason_of(error),
        suggestions=error.suggestions,
    )


def test_message(result: Outcome) -> pb.TestResult:
    failures = result.failures
    return pb.TestResult(name=result.name, passed=not failures, line=result.line, failures=failures)


def language_of(language: pb.Language) -> Language:
    """InvalidInput for a number that is no language."""
    languages: dict[int, Language] = {pb.LANGUAGE_UNSPECIFIED: "en", pb.LANGUAGE_EN: "en", pb.LANGUAGE_ZH: "zh"}
    if language not in languages:
        raise InvalidInput(
            f"there is no language {language}: see Language", reason="UNKNOWN_LANGUAGE", field="language"
        )
    return languages[language]


def explanation_message(explained: Explained, epoch: tuple[int, int], as_of_ms: int) -> pb.ExplainRuleResponse:
    basis = pb.Basis(
        epoch=epoch_message(epoch),
        as_of=timestamp(as_of_ms),
        windows=_windows(explained.compiled),
        versions=explained.versions,
    )
    return pb.ExplainRuleResponse(sentences=explained.sentences, basis=basis)


def completion_message(found: Completions) -> pb.CompleteRuleResponse:
    message = pb.CompleteRuleResponse(to=found.end, more=found.more)
    setattr(message, "from", found.start)
    for item in found.items:
        message.items.add(text=item.text, kind=item.kind, detail=item.detail, people=item.people, label=item.label)
    return message


def finding_message(finding: Finding) -> pb.Finding:
    return pb.Finding(
        code=finding.code,
        message=finding.message,
        line=finding.line,
        column=finding.column,
        suggestions=finding.suggestions,
    )


def _windows(compiled: Iterable[CompiledRule]) -> list[pb.ResolvedWindow]:
    messages = {}
    for window in (window for rule in compiled for window in rule.windows):
        message = pb.ResolvedWindow(text=window.text)
        if window.from_ms is not None:
            getattr(message, "from").CopyFrom(timestamp(window.from_ms))
        if window.to_ms is not None:
            message.to.CopyFrom(timestamp(window.to_ms))
        messages[window] = message
    return list(messages.values())
