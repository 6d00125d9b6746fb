"""The calls about people: who is in, who they are, and what rules can ask of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl.syntax import Tag
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.instants import is_instant, now_ms
from quanyu.runtime.rpc.paging import page_limit, parse_page_token, refuse_token
from quanyu.runtime.storage.database import Database
from quanyu.tagging.calls.members import members
from quanyu.tagging.calls.membership_streams import MembershipStreams
from quanyu.tagging.calls.messages import segment_message
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.context import parse_reference, tag_values
from quanyu.tagging.evaluation.messages import basis_message, epoch_message
from quanyu.tagging.explanation.why import explain_membership, published_segment, written_rule
from quanyu.tagging.registry.messages import rule_message
from quanyu.tagging.storage.store import published
from quanyu.tagging.workspace import ReadableWorkspace, Workspace

CHUNK_BYTES = 2**20


class PeopleCalls:
    """See tagging.proto."""

    def __init__(
        self, request_context: RequestContext[Workspace], database: Database, streams: MembershipStreams
    ) -> None:
        self._request_context = request_context
        self._database = database
        self._streams = streams

    def Evaluate(self, request: pb.EvaluateRequest, context: grpc.ServicerContext) -> Iterator[pb.EvaluateResponse]:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        found = members(workspace, evaluation, [(request.segment, request.version)], live=request.as_of.live)
        roaring = found.answer.roaring(0)
        header = pb.EvaluateHeader(
            rule=rule_message(published(self._database, request.workspace, *found.segments[0])),
            count=found.answer.matched(0),
            sha256=hashlib.sha256(roaring).digest(),
            basis=found.basis(),
        )
        yield pb.EvaluateResponse(header=header, roaring=roaring[:CHUNK_BYTES])
        for start in range(CHUNK_BYTES, len(roaring), CHUNK_BYTES):
            yield pb.EvaluateResponse(roaring=roaring[start : start + CHUNK_BYTES])

    def ListMembers(self, request: pb.ListMembersRequest, context: grpc.ServicerContext) -> pb.ListMembersResponse:
        # Later pages are of the first one's version, instant and offset: `after:version:as of:known at`. Where that
        # is 0, none was asked for: nobody was known at it.
        after, version, as_of_ms, known_at = parse_page_token(request.page_token, 4)
        if not is_instant(as_of_ms):
            refuse_token(request.page_token)
        workspace, evaluation = self._request_context.open_evaluation(
            request.workspace, request.as_of, context, as_of_ms, known_at
        )
        segments = [(request.segment, version or request.version)]
        found = members(workspace, evaluation, segments, live=request.as_of.live)
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
        found = members(workspace, evaluation, segments, live=request.as_of.live)
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

    def GetProfile(self, request: pb.GetProfileRequest, context: grpc.ServicerContext) -> pb.GetProfileResponse:
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        profile = workspace.index.profile(request.person, evaluation.clock.as_of_ms, evaluation.known_at)
        if not profile:
            raise NotFound(f"there is no person {request.person}", reason="UNKNOWN_PERSON")
        tags = evaluation.library.newest_of(Tag)
        compiled = [evaluation.compile_tag(name, version) for name, version in tags]
        answer = evaluation.find(workspace.index, compiled)
        response = pb.GetProfileResponse.FromString(profile)
        values = tag_values(answer, compiled, request.person)
        response.tags.update({name: value for (name, _), value in zip(tags, values, strict=True) if value is not None})
        response.basis.CopyFrom(basis_message(answer, evaluation.clock.as_of_ms, compiled))
        return response

    def ListTimeline(self, request: pb.ListTimelineRequest, context: grpc.ServicerContext) -> pb.ListTimelineResponse:
        index = self._request_context.workspace(request.workspace).index
        epoch = epoch_message(index.epoch())
        page = index.timeline(request.person, request.page_token.encode(), page_limit(request.page_size))
        response = pb.ListTimelineResponse.FromString(page)
        response.epoch.CopyFrom(epoch)
        return response

    def GetCatalog(self, request: pb.GetCatalogRequest, context: grpc.ServicerContext) -> pb.GetCatalogResponse:
        index = self._request_context.workspace(request.workspace).index
        epoch = epoch_message(index.epoch())
        schema = event_pb2.Schema.FromString(index.schema())
        return pb.GetCatalogResponse(schema=schema, channels=index.channels(), epoch=epoch)


class MembershipExplanationCalls:
    """See tagging.proto."""

    def __init__(self, request_context: RequestContext[ReadableWorkspace]) -> None:
        self._request_context = request_context

    def ExplainMembership(
        self, request: pb.ExplainMembershipRequest, context: grpc.ServicerContext
    ) -> pb.ExplainMembershipResponse:
        if bool(request.segment) == bool(request.text):
            message = "segment, text: give the one or the other"
            raise InvalidInput(message, reason="SEGMENT_OR_TEXT", field="segment")
        if request.as_of.live:
            message = "as_of: the live membership does not know why: leave `live` out"
            raise InvalidInput(message, reason="LIVE_AS_OF", field="as_of.live")
        workspace, evaluation = self._request_context.open_evaluation(request.workspace, request.as_of, context)
        asked = (
            written_rule(evaluation, request.text) if request.text else published_segment(evaluation, request.segment)
        )
        return explain_membership(workspace.index, asked, request.person)
