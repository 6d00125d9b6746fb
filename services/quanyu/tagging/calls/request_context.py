"""Opens the workspace and the evaluation context of a request."""

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
        """Returns an open workspace. Raises NotFound if there is no such workspace."""


class RequestContext(Generic[WorkspaceT]):
    """Opens workspaces and evaluation contexts for the calls of one service.

    `query_bytes`: the memory that the queries of one call may use.
    """

    def __init__(self, workspaces: WorkspaceLookup[WorkspaceT], query_bytes: int) -> None:
        self._workspaces = workspaces
        self._query_bytes = query_bytes

    def workspace(self, name: str) -> WorkspaceT:
        return self._workspaces.get(name)

    def open_evaluation(
        self, name: str, as_of: pb.AsOf, context: grpc.ServicerContext, as_of_ms: int = 0, known_at: int = 0
    ) -> tuple[WorkspaceT, EvaluationContext]:
        """Waits until the workspace is as fresh as the request wants; returns it and the context of the evaluation.

        The context has the request's instant (unset: now) and raw offset (unset: all that is folded), or `as_of_ms`
        and `known_at` where they are given (from a page token).
        """
        workspace = self._workspaces.get(name)
        has_instant = as_of.HasField("instant")
        if as_of.live and (has_instant or as_of.HasField("known_at") or as_of.HasField("known_before")):
            message = "as_of: give `live` alone, or leave it out to give an instant, known_at or known_before"
            raise InvalidInput(message, reason="LIVE_AS_OF", field="as_of.live")
        wait = workspace.wait_live if as_of.live else workspace.wait
        wait(as_of.min_raw_offset, context)
        known_offset = known_at or _known_offset(workspace, as_of)
        if not as_of_ms:
            as_of_ms = milliseconds(as_of.instant, "as_of.instant") if has_instant else now_ms()
        return workspace, workspace.evaluation_at(as_of_ms, known_offset, self.limits(context))

    def limits(self, context: grpc.ServicerContext) -> Limits:
        """Returns the limits of one call; its queries are cancelled when the call ends."""
        limits = Limits(self._query_bytes)
        context.add_callback(limits.cancel)
        return limits


def _known_offset(workspace: ReadableWorkspace, as_of: pb.AsOf) -> int | None:
    """Returns the raw offset that the request gives directly or by an instant; None: all that is folded."""
    by_offset, by_instant = as_of.HasField("known_at"), as_of.HasField("known_before")
    if by_offset and by_instant:
        raise InvalidInput("as_of: give known_at or known_before, not both", reason="TWO_KNOWN_ATS", field="as_of")
    if by_instant:
        return workspace.offset_known_before(milliseconds(as_of.known_before, "as_of.known_before"))
    return as_of.known_at if by_offset else None
