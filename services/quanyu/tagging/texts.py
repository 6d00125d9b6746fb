"""The calls about a rule's text, which need not be published."""

from __future__ import annotations

from functools import partial

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError, complete, format_text
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.runtime.paging import LARGEST_PAGE
from quanyu.tagging.answers import (
    completion_message,
    diagnostic_message,
    explanation_message,
    language_of,
    preview_message,
)
from quanyu.tagging.asking import Asking
from quanyu.tagging.domain import explain_text, preview

DEFAULT_COMPLETIONS = 50


class TextCalls:
    """See tagging.proto."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def ValidateRule(self, request: pb.ValidateRuleRequest, context: grpc.ServicerContext) -> pb.ValidateRuleResponse:
        workspace = self._asking.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        reading = workspace.reading(now_ms())
        try:
            return pb.ValidateRuleResponse(explanation=reading.explained_text(request.text))
        except RuleError as error:
            return pb.ValidateRuleResponse(diagnostics=[diagnostic_message(error)])

    def CompleteRule(self, request: pb.CompleteRuleRequest, context: grpc.ServicerContext) -> pb.CompleteRuleResponse:
        workspace = self._asking.workspace(request.workspace)
        if request.offset > len(request.text):
            message = f"offset {request.offset}: the text has {len(request.text)} characters"
            raise InvalidInput(message, reason="OFFSET_BEYOND_TEXT", field="offset")
        reading = workspace.reading(now_ms(), limits=self._asking.limits(context))
        limit = min(request.limit or DEFAULT_COMPLETIONS, LARGEST_PAGE)
        counted = partial(workspace.frequencies.counted, reading, workspace.index)
        return completion_message(
            complete(request.text, request.offset, reading.catalog, reading.library, limit, counted)
        )

    def FormatRule(self, request: pb.FormatRuleRequest, context: grpc.ServicerContext) -> pb.FormatRuleResponse:
        reading = self._asking.workspace(request.workspace).reading(now_ms())
        try:
            text = format_text(request.text, reading.catalog, reading.library, language_of(request.language))
            return pb.FormatRuleResponse(text=text)
        except RuleError as error:
            return pb.FormatRuleResponse(diagnostics=[diagnostic_message(error)])

    def ExplainRule(self, request: pb.ExplainRuleRequest, context: grpc.ServicerContext) -> pb.ExplainRuleResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        language = language_of(request.language)
        try:
            explained = explain_text(reading, request.text, language)
        except RuleError as error:
            return pb.ExplainRuleResponse(diagnostics=[diagnostic_message(error)])
        return explanation_message(explained, workspace.index.epoch(), reading.clock.as_of_ms)

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        return preview_message(preview(reading, workspace.index, request.text), reading.clock.as_of_ms)
