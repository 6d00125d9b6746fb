"""A workspace of a running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.identity.v1.identity_pb2_grpc import IdentityServiceStub
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.cli.rule.sources.source import build_request
from quanyu.dsl import Library
from quanyu.runtime.instants import now_ms
from quanyu.runtime.rpc.channels import domain_errors_of, open_channel
from quanyu.runtime.rpc.paging import LARGEST_PAGE
from quanyu.runtime.settings import Settings, read_setting_file
from quanyu.tagging.evaluation.catalog import catalog_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.workspace import SchemaSnapshot


class ServerSource:
    """A workspace of a running server."""

    has_people = True

    def __init__(self, channel: grpc.Channel, workspace: str) -> None:
        self.workspace = workspace
        self._stub = TaggingServiceStub(channel)
        self._identity = IdentityServiceStub(channel)

    def call(self, method: str, **fields: Any) -> Any:
        with domain_errors_of("tagging"):
            return getattr(self._stub, method)(build_request(method, self.workspace, fields))

    def evaluation_now(self) -> EvaluationContext:
        declared: pb.GetCatalogResponse = self.call("GetCatalog")
        catalog = catalog_of(declared.schema, declared.channels)
        names = SchemaSnapshot(catalog, declared.schema.settings, earliest_ms=0, known_at=None)
        return names.evaluation_at(Library.from_texts(self._published_texts()), now_ms())

    def resolve_person(self, identifier: event_pb2.Identifier) -> int:
        with domain_errors_of("identity"):
            request = identity_pb2.ResolveRequest(workspace=self.workspace, identifier=identifier)
            return int(self._identity.Resolve(request).person)

    def _published_texts(self) -> Iterator[str]:
        token = ""
        while True:
            page: pb.ListRulesResponse = self.call("ListRules", page_size=LARGEST_PAGE, page_token=token)
            yield from (rule.text for rule in page.rules)
            token = page.next_page_token
            if not token:
                return


@contextmanager
def open_server(settings: Settings, address: str, workspace: str) -> Iterator[ServerSource]:
    """Connects as every client does, with QUANYU_AUTH_TOKEN_FILE and QUANYU_TLS_AUTHORITY."""
    authority = read_setting_file(settings.tls_authority, "tls_authority")
    with open_channel(address, token=settings.auth_token(), authority=authority) as channel:
        yield ServerSource(channel, workspace)
