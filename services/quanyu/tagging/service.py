"""TaggingService: the calls of tagging.proto."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library, RuleError
from quanyu.dsl.syntax import Tag
from quanyu.engine import Index, Limits
from quanyu.runtime import rpc
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.eventlog import create_log, follow_log
from quanyu.runtime.instants import is_instant, milliseconds, now_ms
from quanyu.runtime.paging import numbers_of, page_limit, refuse_token
from quanyu.runtime.service import Context
from quanyu.runtime.worker import Worker
from quanyu.runtime.workspaces import Workspaces
from quanyu.tagging.answers import (
    basis_message,
    diagnostic_message,
    epoch_message,
    preview_message,
    rule_message,
    segment_message,
)
from quanyu.tagging.domain import Reading, named, preview, tag_values
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.members import members
from quanyu.tagging.publishing import publish
from quanyu.tagging.store import all_rules, find_rule, rules_after
from quanyu.tagging.watching import Watching
from quanyu.tagging.workspace import Workspace

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["TaggingService"]
CHUNK_BYTES = 2**20


class TaggingService:
    """See tagging.proto."""

    name = DESCRIPTOR.full_name

    def __init__(self, context: Context) -> None:
        self._context = context
        self._database = context.database
        self._watching = Watching(most=max(context.settings.threads // 4, 1))
        self._workspaces = Workspaces(context.folder, self._open)
        self._workspaces.open_existing()

    def register(self, server: grpc.Server) -> None:
        rpc.register(server, DESCRIPTOR, self)

    def start(self) -> None:
        self._workspaces.watch()

    def stop(self) -> None:
        """Folding calls no other service; it ends in `close`. Streams would hold up the server."""
        self._watching.stop()

    def close(self) -> None:
        self._workspaces.close()

    # rules

    def ValidateRule(self, request: pb.ValidateRuleRequest, context: grpc.ServicerContext) -> pb.ValidateRuleResponse:
        workspace = self._workspaces.get(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        reading = workspace.reading(now_ms())
        try:
            return pb.ValidateRuleResponse(explanation=reading.explained_text(request.text))
        except RuleError as error:
            return pb.ValidateRuleResponse(diagnostics=[diagnostic_message(error)])

    def PreviewRule(self, request: pb.PreviewRuleRequest, context: grpc.ServicerContext) -> pb.PreviewRuleResponse:
        workspace, reading = self._asked(request, context)
        return preview_message(preview(reading, workspace.index, request.text), reading.clock.as_of_ms)

    def PublishRule(self, request: pb.PublishRuleRequest, context: grpc.ServicerContext) -> pb.PublishRuleResponse:
        workspace = self._workspaces.get(request.workspace)
        workspace.wait(request.min_raw_offset, context)
        rules = publish(self._database, workspace, request.text, request.author, self._limits(context))
        return pb.PublishRuleResponse(rules=[rule_message(rule) for rule in rules])

    def GetRule(self, request: pb.GetRuleRequest, context: grpc.ServicerContext) -> pb.GetRuleResponse:
        reading = self._workspaces.get(request.workspace).reading(now_ms())
        version = reading.version_of(request.name, request.version)
        return pb.GetRuleResponse(
            rule=self._rule(request.workspace, request.name, version),
            explanation=reading.explained(request.name, version),
        )

    def ListRules(self, request: pb.ListRulesRequest, context: grpc.ServicerContext) -> pb.ListRulesResponse:
        self._workspaces.get(request.workspace)
        limit = page_limit(request.page_size)
        # `version:name`, of the last rule before.
        number, _, name = request.page_token.partition(":")
        (version,) = numbers_of(number, 1)
        if bool(request.page_token) != bool(name):
            refuse_token(request.page_token)
        with self._database.reading() as session:
            rules = rules_after(session, request.workspace, name, version, limit + 1)
        last = rules[limit - 1] if len(rules) > limit else None
        return pb.ListRulesResponse(
            rules=[rule_message(rule) for rule in rules[:limit]],
            next_page_token="" if last is None else f"{last.version}:{last.name}",
        )

    # people

    def Evaluate(self, request: pb.EvaluateRequest, context: grpc.ServicerContext) -> Iterator[pb.EvaluateResponse]:
        workspace, reading = self._asked(request, context)
        found = members(workspace, reading, [(request.segment, request.version)], live=request.as_of.live)
        roaring = found.answer.roaring(0)
        header = pb.EvaluateHeader(
            rule=self._rule(request.workspace, *found.segments[0]),
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
        after, version, as_of_ms, known_at = numbers_of(request.page_token, 4)
        if not is_instant(as_of_ms):
            refuse_token(request.page_token)
        workspace, reading = self._asked(request, context, as_of_ms, known_at)
        segments = [(request.segment, version or request.version)]
        found = members(workspace, reading, segments, live=request.as_of.live)
        limit = page_limit(request.page_size)
        persons = found.answer.page(0, after, limit + 1)
        more = len(persons) > limit
        return pb.ListMembersResponse(
            persons=persons[:limit],
            next_page_token=(
                f"{persons[limit - 1]}:{found.segments[0][1]}:{found.as_of_ms}:{reading.known_at or 0}" if more else ""
            ),
            basis=found.basis(),
        )

    def CheckMembership(
        self, request: pb.CheckMembershipRequest, context: grpc.ServicerContext
    ) -> pb.CheckMembershipResponse:
        workspace, reading = self._asked(request, context)
        segments = [named(segment) for segment in request.segments]
        found = members(workspace, reading, segments, live=request.as_of.live)
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
        live = self._workspaces.get(request.workspace).live
        live.wait(request.min_raw_offset, context)
        return pb.ListSegmentsResponse(segments=[segment_message(status, now_ms()) for status in live.statuses()])

    def WatchMembership(
        self, request: pb.WatchMembershipRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchMembershipResponse]:
        yield from self._watching.watch(self._workspaces.get(request.workspace).live, request, context)

    def GetProfile(self, request: pb.GetProfileRequest, context: grpc.ServicerContext) -> pb.GetProfileResponse:
        workspace, reading = self._asked(request, context)
        profile = workspace.index.profile(request.person, reading.clock.as_of_ms, reading.known_at)
        if not profile:
            raise NotFound(f"there is no person {request.person}", reason="UNKNOWN_PERSON")
        tags = reading.library.newest_of(Tag)
        compiled = [reading.compile_tag(name, version) for name, version in tags]
        answer = reading.find(workspace.index, compiled)
        response = pb.GetProfileResponse.FromString(profile)
        values = tag_values(answer, compiled, request.person)
        response.tags.update({name: value for (name, _), value in zip(tags, values, strict=True) if value is not None})
        response.basis.CopyFrom(basis_message(answer, reading.clock.as_of_ms, compiled))
        return response

    def ListTimeline(self, request: pb.ListTimelineRequest, context: grpc.ServicerContext) -> pb.ListTimelineResponse:
        index = self._workspaces.get(request.workspace).index
        epoch = epoch_message(index.epoch())
        page = index.timeline(request.person, request.page_token.encode(), page_limit(request.page_size))
        response = pb.ListTimelineResponse.FromString(page)
        response.epoch.CopyFrom(epoch)
        return response

    def GetCatalog(self, request: pb.GetCatalogRequest, context: grpc.ServicerContext) -> pb.GetCatalogResponse:
        index = self._workspaces.get(request.workspace).index
        epoch = epoch_message(index.epoch())
        schema = event_pb2.Schema.FromString(index.schema())
        return pb.GetCatalogResponse(schema=schema, channels=index.channels(), epoch=epoch)

    def _asked(
        self,
        request: pb.PreviewRuleRequest
        | pb.EvaluateRequest
        | pb.ListMembersRequest
        | pb.CheckMembershipRequest
        | pb.GetProfileRequest,
        context: grpc.ServicerContext,
        as_of_ms: int = 0,
        known_at: int = 0,
    ) -> tuple[Workspace, Reading]:
        """The workspace, folded as far as the request wants, and its rules at the instant asked for (unset: now), by
        what was known at the raw offset asked for (unset: all that is).
        """
        workspace = self._workspaces.get(request.workspace)
        given = request.as_of.HasField("instant")
        asked = request.as_of.known_at if request.as_of.HasField("known_at") else None
        if request.as_of.live and (given or asked is not None):
            message = "as_of: give live alone, or an instant and known_at without it"
            raise InvalidInput(message, reason="LIVE_AS_OF", field="as_of.live")
        wait = workspace.live.wait if request.as_of.live else workspace.wait
        wait(request.as_of.min_raw_offset, context)
        if not as_of_ms:
            as_of_ms = milliseconds(request.as_of.instant, "as_of.instant") if given else now_ms()
        return workspace, workspace.reading(as_of_ms, known_at or asked, self._limits(context))

    def _limits(self, context: grpc.ServicerContext) -> Limits:
        """Of a call; nobody wants an answer once it has ended."""
        limits = self._budget()
        context.add_callback(limits.cancel)
        return limits

    def _budget(self) -> Limits:
        return Limits(self._context.settings.query_mib * 2**20)

    def _rule(self, workspace: str, name: str, version: int) -> pb.Rule:
        with self._database.reading() as session:
            rule = find_rule(session, workspace, name, version)
        if rule is None:
            raise NotFound(f"no rule {name}@{version} is published", reason="UNKNOWN_RULE", rule=name)
        return rule_message(rule)

    def _open(self, workspace: str) -> Workspace:
        folder = self._context.folder
        index = Index(str(folder.state(workspace, "tagging")))
        with self._database.reading() as session:
            library = Library.of(rule.text for rule in all_rules(session, workspace))
        failed = partial(self._context.health.failed, self.name)
        membership = create_log(folder, workspace, "membership")
        resolved = follow_log(folder, workspace, "resolved")
        worker = Worker(f"tagging of {workspace}", resolved, index, self._context.settings, failed)
        state = str(folder.state(workspace, "membership"))

        def live(opened: Workspace) -> LiveSegments:
            return LiveSegments(opened, worker, membership, state, self._budget(), failed)

        return Workspace(workspace, index, worker, library, live)


def open_service(context: Context) -> TaggingService:
    return TaggingService(context)
