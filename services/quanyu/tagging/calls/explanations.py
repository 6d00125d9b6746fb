"""The call that explains why a person is in a segment or not."""

from __future__ import annotations

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.explanation.why import explain_membership, published_segment, written_rule
from quanyu.tagging.workspace import ReadableWorkspace


class MembershipExplanationCalls:
    """Explains verdicts on one person. See tagging.proto."""

    def __init__(self, request_context: RequestContext[ReadableWorkspace]) -> None:
        self._request_context = request_context

    def ExplainMembership(
        self, request: pb.ExplainMembershipRequest, context: grpc.ServicerContext
    ) -> pb.ExplainMembershipResponse:
        if bool(request.segment) == bool(request.text):
            message = "segment, text: give one of the two"
            raise InvalidInput(message, reason="SEGMENT_OR_TEXT", field="segment")
        if request.as_of.live:
            message = "as_of.live: the live membership has no reasons to show; leave `live` out"
            raise InvalidInput(message, reason="LIVE_AS_OF", field="as_of.live")
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        rule = (
            written_rule(evaluation, request.text) if request.text else published_segment(evaluation, request.segment)
        )
        return explain_membership(workspace.index, rule, request.person)
