"""What calls are asked against: a workspace, its rules at an instant, and what an answer may take."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import grpc

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.engine import Limits
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import milliseconds, now_ms
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.workspace import ReadableWorkspace

WorkspaceT = TypeVar("WorkspaceT", bound=ReadableWorkspace, covariant=True)


class WorkspaceLookup(Protocol[WorkspaceT]):
    def get(self, workspace: str, /) -> WorkspaceT:
        """NotFound if there is none."""


class RequestContext(Generic[WorkspaceT]):
    """The open workspaces, for the calls of one service."""

    def __init__(self, workspaces: WorkspaceLookup[WorkspaceT], query_bytes: int) -> None:
        self._workspaces = workspaces
        self._query_bytes = query_bytes

    def workspace(self, name: str) -> WorkspaceT:
        return self._workspaces.get(name)

    def open_evaluation(
        self, name: str, as_of: pb.AsOf, context: grpc.ServicerContext, as_of_ms: int = 0, known_at: int = 0
    ) -> tuple[WorkspaceT, EvaluationContext]:
        """The workspace, folded as far as the request wants, and its rules at the instant asked for (unset: now), by
        what was known at the raw offset asked for (unset: all that is).
        """
        workspace = self._workspaces.get(name)
        given = as_of.HasField("instant")
        if as_of.live and (given or as_of.HasField("known_at") or as_of.HasField("known_before")):
            message = "as_of: give live alone, or an instant and known_at without it"
            raise InvalidInput(message, reason="LIVE_AS_OF", field="as_of.live")
        wait = workspace.wait_live if as_of.live else workspace.wait
        wait(as_of.min_raw_offset, context)
        asked = known_at or _known_at(workspace, as_of)
        if not as_of_ms:
            as_of_ms = milliseconds(as_of.instant, "as_of.instant") if given else now_ms()
        return workspace, workspace.evaluation_at(as_of_ms, asked, self.limits(context))

    def limits(self, context: grpc.ServicerContext) -> Limits:
        """Of a call; nobody wants an answer once it has ended."""
        limits = Limits(self._query_bytes)
        context.add_callback(limits.cancel)
        return limits


def _known_at(workspace: ReadableWorkspace, as_of: pb.AsOf) -> int | None:
    """The raw offset asked for, by itself or by an instant; None: all that is folded."""
    by_offset, by_instant = as_of.HasField("known_at"), as_of.HasField("known_before")
    if by_offset and by_instant:
        raise InvalidInput("as_of: give known_at or known_before, not both", reason="TWO_KNOWN_ATS", field="as_of")
    if by_instant:
        return workspace.known_before(milliseconds(as_of.known_before, "as_of.known_before"))
    return as_of.known_at if by_offset else None
