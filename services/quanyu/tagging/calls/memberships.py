"""The calls about members of segments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.instants import is_instant, now_ms
from quanyu.runtime.rpc.paging import page_limit, parse_page_token, refuse_token
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.members import find_segment_members
from quanyu.tagging.calls.membership_streams import MembershipStreams
from quanyu.tagging.calls.messages import segment_message
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.registry.messages import rule_message
from quanyu.tagging.storage.store import get_rule
from quanyu.tagging.workspace import Workspace

CHUNK_BYTES = 2**20


class MembershipCalls:
    """Evaluates segments, and reads and streams the live membership. See tagging.proto."""

    def __init__(
        self, request_context: RequestContext[Workspace], database: Database, streams: MembershipStreams
    ) -> None:
        self._request_context = request_context
        self._database = database
        self._streams = streams

    def Evaluate(self, request: pb.EvaluateRequest, context: grpc.ServicerContext) -> Iterator[pb.EvaluateResponse]:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        found = find_segment_members(
            workspace, evaluation, [(request.segment, request.version)], live=request.as_of.live
        )
        roaring = found.answer.roaring(0)
        header = pb.EvaluateHeader(
            rule=rule_message(get_rule(self._database, request.workspace, *found.segments[0])),
            count=found.answer.matched(0),
            sha256=hashlib.sha256(roaring).digest(),
            basis=found.basis(),
        )
        yield pb.EvaluateResponse(header=header, roaring=roaring[:CHUNK_BYTES])
        for start in range(CHUNK_BYTES, len(roaring), CHUNK_BYTES):
            yield pb.EvaluateResponse(roaring=roaring[start : start + CHUNK_BYTES])

    def ListMembers(self, request: pb.ListMembersRequest, context: grpc.ServicerContext) -> pb.ListMembersResponse:
        # A token is `after:version:as of:known at`, so that later pages repeat the first one's answer.
        # `known at` is 0 if the first request set none; no person is known at offset 0.
        after, version, as_of_ms, known_at = parse_page_token(request.page_token, 4)
        if not is_instant(as_of_ms):
            refuse_token(request.page_token)
        workspace, evaluation = self._request_context.open_evaluation(
            request.workspace, request.as_of, context, as_of_ms, known_at
        )
        segments = [(request.segment, version or request.version)]
        found = find_segment_members(workspace, evaluation, segments, live=request.as_of.live)
        limit = page_limit(request.page_size)
        persons = found.answer.page(0, after, limit + 1)
        more = len(persons) > limit
        return pb.ListMembersResponse(
            persons=persons[:limit],
            next_page_token=(
                f"{persons[limit - 1]}:{found.segments[0][1]}:{found.as_of_ms}:{evaluation.known_at or 0}"
                if more
                else ""
            ),
            basis=found.basis(),
        )

    def CheckMembership(
        self, request: pb.CheckMembershipRequest, context: grpc.ServicerContext
    ) -> pb.CheckMembershipResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        segments = [parse_reference(segment) for segment in request.segments]
        found = find_segment_members(workspace, evaluation, segments, live=request.as_of.live)
        persons = list(request.persons)
        columns = [found.answer.contains(root, persons) for root in range(len(segments))]
        memberships = [
            pb.PersonMembership(
                person=person,
                segments=[
                    f"{name}@{version}"
                    for (name, version), column in zip(found.segments, columns, strict=True)
                    if column[row]
                ],
            )
            for row, person in enumerate(persons)
        ]
        return pb.CheckMembershipResponse(memberships=memberships, basis=found.basis())

    def ListSegments(self, request: pb.ListSegmentsRequest, context: grpc.ServicerContext) -> pb.ListSegmentsResponse:
        live = self._request_context.workspace(request.workspace).live
        live.wait(request.min_raw_offset, context)
        return pb.ListSegmentsResponse(segments=[segment_message(status, now_ms()) for status in live.statuses()])

    def WatchMembership(
        self, request: pb.WatchMembershipRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchMembershipResponse]:
        yield from self._streams.watch(self._request_context.workspace(request.workspace).live, request, context)
