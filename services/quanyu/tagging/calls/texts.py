"""The calls about the text of a rule, published or not."""

from __future__ import annotations

from functools import partial

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError, complete, format_text
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.paging import LARGEST_PAGE
from quanyu.tagging.calls.messages import (
    completion_message,
    diagnostic_message,
    explanation_message,
    finding_message,
    language_of,
    rule_test_message,
)
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.calls.text_explanation import explain_and_compile
from quanyu.tagging.evaluation.patterns import check_patterns
from quanyu.tagging.preview.messages import overlap_message, preview_message
from quanyu.tagging.preview.overlap import count_overlap
from quanyu.tagging.preview.preview import preview_draft
from quanyu.tagging.rule_tests.runner import run_rule_tests
from quanyu.tagging.workspace import ReadableWorkspace

DEFAULT_COMPLETIONS = 50
# The largest sample of each set in a preview.
MAX_SAMPLE = 100


class RuleTextCalls:
    """Validates, completes, explains, previews and tests drafts. See tagging.proto."""

    def __init__(self, request_context: RequestContext[ReadableWorkspace]) -> None:
        self._request_context = request_context

    def ValidateRule(self, request: pb.ValidateRuleRequest, context: grpc.ServicerContext) -> pb.ValidateRuleResponse:
        workspace = self._request_context.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        evaluation = workspace.evaluation_at(now_ms())
        found = evaluation.recover(request.text)
        errors, explanation = found.errors, []
        try:
            if found.bound is not None and not errors:
                check_patterns(found.bound, workspace.index)
                explanation = evaluation.explain_text(request.text)
        except RuleError as error:
            errors = (error,)
        return pb.ValidateRuleResponse(diagnostics=map(diagnostic_message, errors), explanation=explanation)

    def LintRule(self, request: pb.LintRuleRequest, context: grpc.ServicerContext) -> pb.LintRuleResponse:
        workspace = self._request_context.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        try:
            findings = workspace.evaluation_at(now_ms()).lint(request.text)
        except RuleError as error:
            return pb.LintRuleResponse(diagnostics=[diagnostic_message(error)])
        return pb.LintRuleResponse(findings=map(finding_message, findings))

    def CompleteRule(self, request: pb.CompleteRuleRequest, context: grpc.ServicerContext) -> pb.CompleteRuleResponse:
        workspace = self._request_context.workspace(request.workspace)
        if request.offset > len(request.text):
            message = f"offset: {request.offset} is too large; the text has {len(request.text)} characters"
            raise InvalidInput(message, reason="OFFSET_BEYOND_TEXT", field="offset")
        evaluation = workspace.evaluation_at(now_ms(), limits=self._request_context.limits(context))
        limit = min(request.limit or DEFAULT_COMPLETIONS, LARGEST_PAGE)
        count_people = partial(workspace.frequencies.count_people, evaluation, workspace.index)
        return completion_message(
            complete(request.text, request.offset, evaluation.catalog, evaluation.library, limit, count_people)
        )

    def FormatRule(self, request: pb.FormatRuleRequest, context: grpc.ServicerContext) -> pb.FormatRuleResponse:
        evaluation = self._request_context.workspace(request.workspace).evaluation_at(now_ms())
        try:
            text = format_text(request.text, evaluation.catalog, evaluation.library, language_of(request.language))
            return pb.FormatRuleResponse(text=text)
        except RuleError as error:
            return pb.FormatRuleResponse(diagnostics=[diagnostic_message(error)])

    def ExplainRule(self, request: pb.ExplainRuleRequest, context: grpc.ServicerContext) -> pb.ExplainRuleResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        language = language_of(request.language)
        try:
            explained = explain_and_compile(evaluation, request.text, language)
        except RuleError as error:
            return pb.ExplainRuleResponse(diagnostics=[diagnostic_message(error)])
        return explanation_message(explained, workspace.index.epoch(), evaluation.clock.as_of_ms)

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        if request.sample > MAX_SAMPLE:
            raise InvalidInput(f"sample: at most {MAX_SAMPLE} people", reason="SAMPLE_SIZE", field="sample")
        found = evaluation.recover(request.text)
        errors, counted = list(found.errors), None
        try:
            if found.bound is not None:
                check_patterns(found.bound, workspace.index)
                is_whole = not errors
                counted = preview_draft(
                    evaluation, workspace.index, found.bound, is_whole=is_whole, sample_size=request.sample
                )
        except RuleError as error:
            errors.append(error)
        response = pb.PreviewRuleResponse(
            revision=request.revision, diagnostics=[diagnostic_message(error) for error in errors]
        )
        if counted is not None:
            response.MergeFrom(preview_message(counted, found.omitted, evaluation.clock.as_of_ms))
        return response

    def DescribeOverlap(
        self, request: pb.DescribeOverlapRequest, context: grpc.ServicerContext
    ) -> pb.DescribeOverlapResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        found = count_overlap(evaluation, workspace.index, request.conditions)
        return overlap_message(found, evaluation.clock.as_of_ms)

    def RunRuleTests(self, request: pb.RunRuleTestsRequest, context: grpc.ServicerContext) -> pb.RunRuleTestsResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, pb.AsOf(), context)
        try:
            results = run_rule_tests(evaluation, workspace.index.declared(), request.text)
        except RuleError as error:
            return pb.RunRuleTestsResponse(diagnostics=[diagnostic_message(error)])
        return pb.RunRuleTestsResponse(results=map(rule_test_message, results))
