"""Converts diagnostics, warnings, completions, explanations, test results and live segments to messages."""

from __future__ import annotations

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Completions, Finding, Language, RuleError
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.text_explanation import Explanation
from quanyu.tagging.evaluation.messages import epoch_message, windows_of
from quanyu.tagging.evaluation.rule_errors import reason_of
from quanyu.tagging.live import SegmentStatus
from quanyu.tagging.rule_tests.runner import RuleTestResult


def language_of(language: pb.Language) -> Language:
    """Converts a language; raises InvalidInput for an unknown number."""
    languages: dict[int, Language] = {pb.LANGUAGE_UNSPECIFIED: "en", pb.LANGUAGE_EN: "en", pb.LANGUAGE_ZH: "zh"}
    if language not in languages:
        raise InvalidInput(
            f"language: {language} is unknown; see the enum Language", reason="UNKNOWN_LANGUAGE", field="language"
        )
    return languages[language]


def diagnostic_message(error: RuleError) -> pb.Diagnostic:
    return pb.Diagnostic(
        message=error.message,
        line=error.line,
        column=error.column,
        reason=reason_of(error),
        suggestions=error.suggestions,
    )


def finding_message(finding: Finding) -> pb.Finding:
    return pb.Finding(
        code=finding.code,
        message=finding.message,
        line=finding.line,
        column=finding.column,
        suggestions=finding.suggestions,
    )


def completion_message(found: Completions) -> pb.CompleteRuleResponse:
    message = pb.CompleteRuleResponse(to=found.end, more=found.more)
    setattr(message, "from", found.start)
    for item in found.items:
        message.items.add(text=item.text, kind=item.kind, detail=item.detail, people=item.people, label=item.label)
    return message


def explanation_message(explained: Explanation, epoch: tuple[int, int], as_of_ms: int) -> pb.ExplainRuleResponse:
    basis = pb.Basis(
        epoch=epoch_message(epoch),
        as_of=timestamp(as_of_ms),
        windows=windows_of(explained.compiled),
        versions=explained.versions,
    )
    return pb.ExplainRuleResponse(sentences=explained.sentences, basis=basis)


def rule_test_message(result: RuleTestResult) -> pb.TestResult:
    failures = result.failures
    return pb.TestResult(name=result.name, passed=not failures, line=result.line, failures=failures)


def segment_message(status: SegmentStatus, now_ms: int) -> pb.LiveSegment:
    message = pb.LiveSegment(
        segment=status.segment,
        version=status.version,
        count=status.member_count,
        digest=status.digest,
        error=status.error or "",
    )
    if status.freshness is not None:
        *epoch, as_of_ms = status.freshness
        message.epoch.CopyFrom(epoch_message((epoch[0], epoch[1])))
        message.as_of.CopyFrom(timestamp(as_of_ms))
        message.lag_ms = max(now_ms - as_of_ms, 0)
    return message
