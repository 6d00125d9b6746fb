"""The calls about a rule's text, which need not be published."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError
from quanyu.runtime.instants import now_ms
from quanyu.tagging.answers import diagnostic_message, preview_message, test_message
from quanyu.tagging.asking import Asking
from quanyu.tagging.domain import preview
from quanyu.tagging.trial import run_tests
from quanyu.tagging.workspace import Readable


class TextCalls:
    """See tagging.proto."""

    def __init__(self, asking: Asking[Readable]) -> None:
        self._asking = asking

    def ValidateRule(self, request: pb.ValidateRuleRequest, context: grpc.ServicerContext) -> pb.ValidateRuleResponse:
        workspace = self._asking.workspace(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        reading = workspace.reading(now_ms())
        try:
            return pb.ValidateRuleResponse(explanation=reading.explained_text(request.text))
        except RuleError as error:
            return pb.ValidateRuleResponse(diagnostics=[diagnostic_message(error)])

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        return preview_message(preview(reading, workspace.index, request.text), reading.clock.as_of_ms)

    def RunRuleTests(self, request: pb.RunRuleTestsRequest, context: grpc.ServicerContext) -> pb.RunRuleTestsResponse:
        workspace, reading = self._asking.asked(request.workspace, pb.AsOf(), context)
        try:
            results = run_tests(reading, workspace.index.declared(), request.text)
        except RuleError as error:
            return pb.RunRuleTestsResponse(diagnostics=[diagnostic_message(error)])
        return pb.RunRuleTestsResponse(results=map(test_message, results))
