"""The interface of the workspaces that rules are read against."""

from __future__ import annotations

from typing import Any, Protocol

from google.protobuf.message_factory import GetMessageClass

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.tagging.evaluation.context import EvaluationContext

SERVICE = pb.DESCRIPTOR.services_by_name["TaggingService"]


class RuleSource(Protocol):
    """A workspace that answers calls of tagging.proto; `has_people` is False if it holds names and rules only."""

    workspace: str
    has_people: bool

    def call(self, method: str, **fields: Any) -> Any:
        """Returns the response of a call of tagging.proto, given the request's fields; raises DomainError."""

    def evaluation_now(self) -> EvaluationContext:
        """Returns the workspace's catalog, published rules and calendar at the current time."""

    def resolve_person(self, identifier: event_pb2.Identifier) -> int:
        """Returns the person who has the identifier; 0 if it was never seen.

        Raises DomainError if the source knows no identifiers.
        """


def build_request(method: str, workspace: str, fields: dict[str, Any]) -> Any:
    """Returns the request message of a call of tagging.proto."""
    return GetMessageClass(SERVICE.methods_by_name[method].input_type)(workspace=workspace, **fields)
