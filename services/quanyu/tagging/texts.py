"""The calls about a rule's text, which need not be published."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import RuleError
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms
from quanyu.tagging.answers import diagnostic_message, overlap_message, preview_message
from quanyu.tagging.asking import Asking
from quanyu.tagging.overlap import overlap
from quanyu.tagging.preview import preview

# People of each set that a preview shows.
MAX_SAMPLE = 100


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

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        if request.sample > MAX_SAMPLE:
            raise InvalidInput(f"sample: at most {MAX_SAMPLE} people are shown", reason="SAMPLE_SIZE", field="sample")
        found = reading.recover(request.text)
        errors, counted = list(found.errors), None
        try:
            if found.bound is not None:
                is_whole = not errors
                counted = preview(reading, workspace.index, found.bound, is_whole=is_whole, sampled=request.sample)
        except RuleError as error:
            errors.append(error)
        response = pb.PreviewRuleResponse(
            revision=request.revision, diagnostics=[diagnostic_message(error) for error in errors]
        )
        if counted is not None:
            response.MergeFrom(preview_message(counted, found.left_out, reading.clock.as_of_ms))
        return response

    def DescribeOverlap(
        self, request: pb.DescribeOverlapRequest, context: grpc.ServicerContext
    ) -> pb.DescribeOverlapResponse:
        workspace, reading = self._asking.asked(request.workspace, request.as_of, context)
        found = overlap(reading, workspace.index, request.conditions)
        return overlap_message(found, reading.clock.as_of_ms)
