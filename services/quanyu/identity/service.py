"""IdentityService: answers queries from the identity graph, which a follower folds from the raw log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import grpc

from quanyu.api.event.v1 import event_pb2, log_pb2
from quanyu.api.identity.v1 import identity_pb2 as pb
from quanyu.engine import LocalLog, Resolver
from quanyu.identity.domain import split_error, split_result
from quanyu.identity.ingestion_client import IngestionClient
from quanyu.identity.redaction import LogRedaction
from quanyu.identity.worker import Resolution
from quanyu.runtime.errors import Conflict, InvalidInput, NotFound
from quanyu.runtime.instants import timestamp
from quanyu.runtime.log_follower import LogFollower
from quanyu.runtime.rpc.paging import page_limit, parse_page_token
from quanyu.runtime.rpc.server import register_service
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.storage.event_log import create_log, follow_log
from quanyu.runtime.workspaces import OpenWorkspaces

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["IdentityService"]
# The number of identifiers in one message of ListIdentifiers.
CHUNK_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Graph:
    """A workspace's identity graph and the follower that folds it."""

    resolver: Resolver
    resolved: LocalLog
    follower: LogFollower
    redaction: LogRedaction

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        self.follower.wait_until(lambda: self.resolver.offset() >= min_raw_offset, context)

    def epoch(self) -> event_pb2.Epoch:
        """Returns the current epoch. Read it before the answer, so that the answer is complete up to it."""
        return event_pb2.Epoch(raw_offset=self.resolver.offset(), received_at=timestamp(self.resolver.received_at_ms()))

    def close(self) -> None:
        self.redaction.close()
        self.follower.close()
        self.resolved.close()


class IdentityService:
    """Implements identity.proto."""

    name = DESCRIPTOR.full_name

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._ingestion = IngestionClient(partial(context.channels.to, "ingestion"))
        self._stopping = threading.Event()
        self._workspaces = OpenWorkspaces(context.folder, self._open)
        self._workspaces.open_existing()

    def register(self, server: grpc.Server) -> None:
        register_service(server, DESCRIPTOR, self)

    def start(self) -> None:
        """Starts to open the workspaces that other processes create, and to fold their logs."""
        self._workspaces.watch()

    def stop(self) -> None:
        """Ends the redaction. The fold calls no other service and ends in `close`."""
        self._stopping.set()

    def close(self) -> None:
        self._workspaces.close()

    def Resolve(self, request: pb.ResolveRequest, context: grpc.ServicerContext) -> pb.ResolveResponse:
        graph = self._graph(request.workspace)
        graph.wait(request.min_raw_offset, context)
        epoch = graph.epoch()
        identifier = _require_identifier(request, "identifier")
        return pb.ResolveResponse(person=graph.resolver.resolve(identifier.namespace, identifier.value), epoch=epoch)

    def BatchResolve(self, request: pb.BatchResolveRequest, context: grpc.ServicerContext) -> pb.BatchResolveResponse:
        graph = self._graph(request.workspace)
        graph.wait(request.min_raw_offset, context)
        epoch = graph.epoch()
        answer = pb.BatchResolveResponse.FromString(graph.resolver.batch_resolve(request.SerializeToString()))
        answer.epoch.CopyFrom(epoch)
        return answer

    def GetPerson(self, request: pb.GetPersonRequest, context: grpc.ServicerContext) -> pb.GetPersonResponse:
        graph = self._graph(request.workspace)
        epoch = graph.epoch()
        person = graph.resolver.person(request.person)
        if not person:
            raise NotFound(f"there is no person {request.person}", reason="UNKNOWN_PERSON")
        return pb.GetPersonResponse(person=pb.Person.FromString(person), epoch=epoch)

    def Explain(self, request: pb.ExplainRequest, context: grpc.ServicerContext) -> pb.ExplainResponse:
        graph = self._graph(request.workspace)
        epoch = graph.epoch()
        one, other = _require_identifier(request, "from"), _require_identifier(request, "to")
        answer = graph.resolver.explain(one.namespace, one.value, other.namespace, other.value)
        explained = pb.ExplainResponse.FromString(answer)
        explained.epoch.CopyFrom(epoch)
        return explained

    def Split(self, request: pb.SplitRequest, context: grpc.ServicerContext) -> pb.SplitResponse:
        graph = self._graph(request.workspace)
        if not request.idempotency_key:
            raise InvalidInput("idempotency_key is empty; give each decision its own", field="idempotency_key")
        graph.wait(request.min_raw_offset, context)
        decision = log_pb2.Decision(
            split=log_pb2.Split(person=request.person, identifiers=request.identifiers),
            by=request.by,
            why=request.why,
            idempotency_key=request.idempotency_key,
        )
        message = decision.SerializeToString(deterministic=True)
        outcome = graph.resolver.outcome(message)
        if outcome is None:
            if refusal := graph.resolver.refusal(message):
                raise split_error(refusal, request.person, list(request.identifiers))
            graph.wait(self._ingestion.record(request.workspace, decision), context)
            outcome = graph.resolver.outcome(message)
        split = split_result(outcome)
        epoch = graph.epoch()
        kept, parted = (pb.Person.FromString(graph.resolver.person(person)) for person in (split.kept, split.parted))
        return pb.SplitResponse(kept=kept, parted=parted, raw_offset=split.raw_offset, epoch=epoch)

    def ListIdentifiers(
        self, request: pb.ListIdentifiersRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ListIdentifiersResponse]:
        graph = self._graph(request.workspace)
        for chunk in graph.resolver.identifiers(request.persons, request.namespace, CHUNK_ROWS):
            yield pb.ListIdentifiersResponse.FromString(chunk)

    def Erase(self, request: pb.EraseRequest, context: grpc.ServicerContext) -> pb.EraseResponse:
        key = request.idempotency_key
        if not key:
            raise InvalidInput("idempotency_key is empty; give each erasure its own key", field="idempotency_key")
        graph = self._graph(request.workspace)
        person = _requested_person(graph.resolver, request)
        if graph.resolver.erased(key) is None:
            if not graph.resolver.person(person):
                raise NotFound("no person has this identifier or id, so nothing is erased", reason="UNKNOWN_PERSON")
            decision = log_pb2.Decision(
                erase=log_pb2.Erase(person=person), by=request.by, why=request.why, idempotency_key=key
            )
            graph.wait(self._ingestion.record(request.workspace, decision), context)
        raw_offset, erased = graph.resolver.erased(key) or (0, 0)
        # An erased person has no identifiers. The identifier of an alias belongs to the whole person.
        is_other = person not in (0, erased) and person not in graph.resolver.all_erased(raw_offset)[1]
        if not erased or is_other:
            raise Conflict(
                f"idempotency_key: {key!r} belongs to another decision, or another call erased the person first; "
                "use a new key",
                field="idempotency_key",
            )
        return pb.EraseResponse(person=erased, raw_offset=raw_offset + 1)

    def ListErased(self, request: pb.ListErasedRequest, context: grpc.ServicerContext) -> pb.ListErasedResponse:
        next_raw_offset, persons = self._graph(request.workspace).resolver.all_erased(request.from_raw_offset)
        return pb.ListErasedResponse(persons=persons, next_raw_offset=next_raw_offset)

    def GetPolicy(self, request: pb.GetPolicyRequest, context: grpc.ServicerContext) -> pb.GetPolicyResponse:
        return pb.GetPolicyResponse.FromString(self._graph(request.workspace).resolver.policy())

    def ListViolations(
        self, request: pb.ListViolationsRequest, context: grpc.ServicerContext
    ) -> pb.ListViolationsResponse:
        (before,) = parse_page_token(request.page_token, 1)
        page = self._graph(request.workspace).resolver.violations(before, page_limit(request.page_size))
        return pb.ListViolationsResponse.FromString(page)

    def _graph(self, workspace: str) -> Graph:
        return self._workspaces.get(workspace)

    def _open(self, workspace: str) -> Graph:
        folder = self._context.folder
        resolver = Resolver(str(folder.state(workspace, "identity")))
        resolved = create_log(folder, workspace, "resolved")
        raw = follow_log(folder, workspace, "raw")
        report_failure = partial(self._context.health.report_failure, self.name)
        follower = LogFollower(
            f"identity of {workspace}", raw, Resolution(resolver, resolved), self._context.settings, report_failure
        )
        # The redaction reads through its own log handles, at other offsets than the follower.
        logs = follow_log(folder, workspace, "raw"), resolved, follow_log(folder, workspace, "rejects")
        redaction = LogRedaction(workspace, resolver, *logs, follower, self._ingestion, self._stopping, report_failure)
        follower.start()
        redaction.start()
        return Graph(resolver, resolved, follower, redaction)


def open_service(context: ServiceContext) -> IdentityService:
    return IdentityService(context)


def _require_identifier(
    request: pb.ResolveRequest | pb.ExplainRequest | pb.EraseRequest, field: str
) -> event_pb2.Identifier:
    identifier: event_pb2.Identifier = getattr(request, field)
    if not identifier.namespace or not identifier.value:
        raise InvalidInput(f"{field}: give an identifier with its namespace and value", field=field)
    return identifier


def _requested_person(resolver: Resolver, request: pb.EraseRequest) -> int:
    """Returns the requested person; 0 if nobody has the identifier. Raises InvalidInput if none is given."""
    if request.WhichOneof("whom") == "identifier":
        identifier = _require_identifier(request, "identifier")
        return resolver.owner(identifier.namespace, identifier.value)
    if not request.person:
        raise InvalidInput("whom: give a person, or an identifier of theirs", field="whom")
    return int(request.person)
