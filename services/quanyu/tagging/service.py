"""TaggingService: opens workspaces and registers the calls of tagging.proto."""

from __future__ import annotations

from functools import partial

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library
from quanyu.engine import Index, Limits
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.rpc.server import register_service
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.storage.event_log import create_log, follow_log
from quanyu.runtime.workspaces import OpenWorkspaces
from quanyu.tagging.calls.comparisons import ComparisonCalls
from quanyu.tagging.calls.explanations import MembershipExplanationCalls
from quanyu.tagging.calls.membership_streams import MembershipStreams
from quanyu.tagging.calls.memberships import MembershipCalls
from quanyu.tagging.calls.profiles import ProfileCalls
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.calls.reviews import ReviewCalls
from quanyu.tagging.calls.texts import RuleTextCalls
from quanyu.tagging.calls.versions import VersionCalls
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.storage.store import all_rules
from quanyu.tagging.workspace import Workspace

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["TaggingService"]


class TaggingService:
    """Holds the open workspaces and the calls on them. See tagging.proto."""

    name = DESCRIPTOR.full_name

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._database = context.database
        self._query_bytes = context.settings.query_mib * 2**20
        self._streams = MembershipStreams(most=max(context.settings.threads // 4, 1))
        self._workspaces = OpenWorkspaces(context.folder, self._open)
        self._workspaces.open_existing()

    def register(self, server: grpc.Server) -> None:
        request_context = RequestContext(self._workspaces, self._query_bytes)
        by_approval = self._context.settings.approval == "required"
        register_service(
            server,
            DESCRIPTOR,
            RuleTextCalls(request_context),
            ComparisonCalls(request_context),
            VersionCalls(request_context, self._database, by_approval=by_approval),
            ReviewCalls(request_context, self._database),
            MembershipCalls(request_context, self._database, self._streams),
            MembershipExplanationCalls(request_context),
            ProfileCalls(request_context),
        )

    def start(self) -> None:
        """Starts to open the workspaces that other processes create, and to fold their logs."""
        self._workspaces.watch()

    def stop(self) -> None:
        """Ends the streams, which would keep the server from stopping; folding goes on until `close`."""
        self._streams.stop()

    def close(self) -> None:
        self._workspaces.close()

    def _open(self, workspace: str) -> Workspace:
        folder = self._context.folder
        index = Index(str(folder.state(workspace, "tagging")))
        with self._database.reading() as session:
            library = Library.from_texts(rule.text for rule in all_rules(session, workspace))
        report_failure = partial(self._context.health.report_failure, self.name)
        membership = create_log(folder, workspace, "membership")
        resolved = follow_log(folder, workspace, "resolved")
        follower = LogFollower(f"tagging of {workspace}", resolved, index, self._context.settings, report_failure)
        state = str(folder.state(workspace, "membership"))

        def open_live_segments(opened: Workspace) -> LiveSegments:
            return LiveSegments(opened, follower, membership, state, Limits(self._query_bytes), report_failure)

        return Workspace(workspace, index, resolved, follower, library, open_live_segments)


def open_service(context: ServiceContext) -> TaggingService:
    return TaggingService(context)
