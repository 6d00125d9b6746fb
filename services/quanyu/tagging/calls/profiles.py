"""The calls about one person's profile and timeline, and about the catalog."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import CompiledRule
from quanyu.dsl.syntax import Tag
from quanyu.engine import Answer
from quanyu.runtime.errors import NotFound
from quanyu.runtime.rpc.paging import page_limit
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.messages import basis_message, epoch_message
from quanyu.tagging.workspace import Workspace


class ProfileCalls:
    """Reads profiles, timelines and the catalog. See tagging.proto."""

    def __init__(self, request_context: RequestContext[Workspace]) -> None:
        self._request_context = request_context

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


def tag_values(answer: Answer, compiled: Sequence[CompiledRule], person: int) -> list[str | None]:
    """Returns the person's value of each tag; None if the person is in no tier of the tag.

    `answer` holds the roots of all the tags, in order.
    """
    found: list[str | None] = []
    root = 0
    for tag in compiled:
        values = [value for at, value in enumerate(tag.values, root) if answer.contains(at, [person])[0]]
        found.append(values[0] if values else None)
        root += len(tag.roots)
    return found
