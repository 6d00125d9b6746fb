"""The calls about a rule's text, which need not be published."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError
from quanyu.runtime.instants import now_ms
from quanyu.tagging.answers import diagnostic_message, finding_message, preview_message
from quanyu.tagging.asking import Asking
from quanyu.tagging.domain import preview


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

    def LintRule(self, request: pb.LintRuleRequest, context: grpc.ServicerContext) -> pb.LintRuleResponse:
        workspace = self._asking.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        try:
            findings = workspace.reading(now_ms()).linted(request.text)
        except RuleError as error:
            return pb.LintRuleResponse(diagnostics=[diagnostic_message(error)])
        return pb.LintRuleResponse(findings=map(finding_message, findings))

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        return preview_message(preview(reading, workspace.index, request.text), reading.clock.as_of_ms)
