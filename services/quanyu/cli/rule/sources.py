"""What rules are read against: a running server, a data folder, or a catalog in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.protobuf.message_factory import GetMessageClass

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.cli.catalog_file import DeclaredCatalog, load_catalog
from quanyu.dsl import Library, RuleError, check_and_bind
from quanyu.engine import CoreError, Index
from quanyu.runtime.errors import InvalidInput, to_domain_error
from quanyu.runtime.instants import now_ms
from quanyu.runtime.log_follower import FRAMES_BYTES
from quanyu.runtime.rpc.channels import domain_errors_of, open_channel
from quanyu.runtime.rpc.local_call import call_locally
from quanyu.runtime.rpc.paging import LARGEST_PAGE
from quanyu.runtime.settings import Settings, read_setting_file
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.event_log import follow_log
from quanyu.tagging.calls.comparisons import ComparisonCalls
from quanyu.tagging.calls.explanations import MembershipExplanationCalls
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.calls.texts import RuleTextCalls
from quanyu.tagging.evaluation.arrivals import offset_known_before
from quanyu.tagging.evaluation.catalog import catalog_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.rule_tests.in_memory_workspace import build_in_memory_workspace
from quanyu.tagging.storage.store import all_rules
from quanyu.tagging.workspace import ReadableWorkspace, SchemaSnapshot

SERVICE = pb.DESCRIPTOR.services_by_name["TaggingService"]


class Source(Protocol):
    """A workspace to ask. `has_people`: whether there is anybody to count."""

    workspace: str
    has_people: bool

    def ask(self, call: str, **fields: Any) -> Any:
        """The response of a call of tagging.proto, given the request's fields. DomainError."""

    def evaluation_now(self) -> EvaluationContext:
        """Its names, published rules and calendar now."""

    def person(self, identifier: event_pb2.Identifier) -> int:
        """Whose it is; 0: it was never seen. DomainError where nobody knows identifiers."""


class Server:
    """A workspace of a running server."""

    has_people = True

    def __init__(self, channel: grpc.Channel, workspace: str) -> None:
        self.workspace = workspace
        self._stub = TaggingServiceStub(channel)
        self._identity = IdentityServiceStub(channel)

    def ask(self, call: str, **fields: Any) -> Any:
        with domain_errors_of("tagging"):
            return getattr(self._stub, call)(_request(call, self.workspace, fields))

    def evaluation_now(self) -> EvaluationContext:
        declared: pb.GetCatalogResponse = self.ask("GetCatalog")
        catalog = catalog_of(declared.schema, declared.channels)
        names = SchemaSnapshot(catalog, declared.schema.settings, earliest_ms=0, known_at=None)
        return names.evaluation_at(Library.from_texts(self._published()), now_ms())

    def person(self, identifier: event_pb2.Identifier) -> int:
        with domain_errors_of("identity"):
            request = identity_pb2.ResolveRequest(workspace=self.workspace, identifier=identifier)
            return int(self._identity.Resolve(request).person)

    def _published(self) -> Iterator[str]:
        token = ""
        while True:
            page: pb.ListRulesResponse = self.ask("ListRules", page_size=LARGEST_PAGE, page_token=token)
            yield from (rule.text for rule in page.rules)
            token = page.next_page_token
            if not token:
                return


class Here:
    """A workspace that this process reads itself: its calls are answered as a server would."""

    def __init__(self, workspace: ReadableWorkspace, query_bytes: int, *, has_people: bool) -> None:
        self.workspace = workspace.name
        self.has_people = has_people
        self._readable = workspace
        requests = RequestContext(_OneWorkspace(workspace), query_bytes)
        self._servicers = [RuleTextCalls(requests), ComparisonCalls(requests), MembershipExplanationCalls(requests)]

    def ask(self, call: str, **fields: Any) -> Any:
        return call_locally(self._servicers, call, _request(call, self.workspace, fields))

    def evaluation_now(self) -> EvaluationContext:
        return self._readable.evaluation_at(now_ms())

    def person(self, identifier: event_pb2.Identifier) -> int:
        message = f"{identifier.namespace}:{identifier.value} is known to a server: give --server, or a OneID"
        raise InvalidInput(message)


def _request(call: str, workspace: str, fields: dict[str, Any]) -> Any:
    return GetMessageClass(SERVICE.methods_by_name[call].input_type)(workspace=workspace, **fields)


class _OneWorkspace:
    """Finds the same workspace by any name."""

    def __init__(self, workspace: ReadableWorkspace) -> None:
        self._workspace = workspace

    def get(self, workspace: str, /) -> ReadableWorkspace:
        return self._workspace


@contextmanager
def of_server(settings: Settings, address: str, workspace: str) -> Iterator[Server]:
    """As every client does, with QUANYU_AUTH_TOKEN_FILE and QUANYU_TLS_AUTHORITY."""
    authority = read_setting_file(settings.tls_authority, "tls_authority")
    with open_channel(address, token=settings.auth_token(), authority=authority) as channel:
        yield Server(channel, workspace)


def of_folder(settings: Settings, data: DataFolder, workspace: str) -> Here:
    """A workspace as it lies on disk; a server may be running on it. Nothing is written."""
    if settings.database_url is None:
        data.check_database()
    library = _library(settings.database_url or data.database_url(), workspace)
    return Here(_Stored(data, workspace, library), settings.query_mib * 2**20, has_people=True)


def of_catalog(settings: Settings, path: Path) -> Here:
    """The names and rules of a file, and nobody. InvalidInput if it holds no catalog."""
    declared = load_catalog(path)
    try:
        workspace = _Declared(declared, build_in_memory_workspace(declared.schema.SerializeToString()).index)
    except CoreError as error:
        raise InvalidInput(f"catalog {path}: {to_domain_error(error).message}", reason="CATALOG_INVALID") from error
    except RuleError as error:
        raise InvalidInput(f"catalog {path}: rules: {error}", reason="CATALOG_INVALID") from error
    return Here(workspace, settings.query_mib * 2**20, has_people=False)


def of_nothing(settings: Settings) -> Here:
    """Nobody, and no names."""
    index = build_in_memory_workspace(b"").index
    return Here(ReadableWorkspace("none", index, Library()), settings.query_mib * 2**20, has_people=False)


class _Stored(ReadableWorkspace):
    """Of a data folder."""

    def __init__(self, data: DataFolder, workspace: str, library: Library) -> None:
        self._resolved = follow_log(data, workspace, "resolved")
        index = Index.follow(str(data.state(workspace, "tagging")))
        while self._resolved.end() > index.offset():
            index.fold(self._resolved.read(index.offset(), FRAMES_BYTES))
        super().__init__(workspace, index, library)

    def offset_known_before(self, instant_ms: int) -> int:
        return min(offset_known_before(self._resolved, instant_ms), super().offset_known_before(instant_ms))


class _Declared(ReadableWorkspace):
    """Of a catalog in a file."""

    def __init__(self, declared: DeclaredCatalog, index: Index) -> None:
        super().__init__("catalog", index, Library())
        self._channels = declared.channels
        self.library = Library().publish(check_and_bind(declared.rules, self.schema_snapshot(None).catalog, Library()))

    def schema_snapshot(self, known_at: int | None) -> SchemaSnapshot:
        found = super().schema_snapshot(known_at)
        return replace(found, catalog=replace(found.catalog, channels=self._channels))


def _library(url: str, workspace: str) -> Library:
    database = Database(url)
    with database.reading() as session:
        library = Library.from_texts(published.text for published in all_rules(session, workspace))
    database.close()
    return library
