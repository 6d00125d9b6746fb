"""Parts of tagging's answers that several calls share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import CompiledRule, Completions, Language, RuleError
from quanyu.engine import Answer
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp
from quanyu.tagging.domain import Explained, Preview, reason_of
from quanyu.tagging.live import Status
from quanyu.tagging.tables import PublishedRule

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


def preview_message(preview: Preview, as_of_ms: int) -> pb.PreviewRuleResponse:
    return pb.PreviewRuleResponse(
        sets=[
            pb.SetCount(
                name=counted.name,
                matched=counted.matched,
                unknown=counted.unknown,
                clauses=[pb.ClauseCount(text=t, matched=m, unknown=u) for t, m, u in counted.clauses],
            )
            for counted in preview.counts
        ],
        explanation=preview.explanation,
        basis=basis_message(preview.answer, as_of_ms, preview.compiled),
        universe=preview.answer.universe,
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
