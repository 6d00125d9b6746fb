"""A server source answers calls of tagging.proto and resolves identifiers."""

from __future__ import annotations

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.cli.rule.sources.server import open_server
from quanyu.runtime.errors import NotFound, Unavailable
from quanyu.runtime.settings import Settings
from tests.unit.local_server import WORKSPACE, LocalServer


def test_a_server_answers_calls_with_the_names_of_the_workspace(shop: LocalServer) -> None:
    with open_server(Settings(), shop.address, WORKSPACE) as source:
        assert source.has_people
        assert not source.call("ValidateRule", text="in segment buyers").diagnostics
        assert source.call("ValidateRule", text="in segment sellers").diagnostics


def test_the_evaluation_context_has_catalog_and_published_rules(shop: LocalServer) -> None:
    with open_server(Settings(), shop.address, WORKSPACE) as source:
        evaluation = source.evaluation_now()
    assert "order" in evaluation.catalog.event_types
    assert evaluation.library.newest("buyers") == 1
    assert evaluation.clock.zone == "Asia/Shanghai"


def test_identifiers_resolve_to_people_or_0(shop: LocalServer) -> None:
    with open_server(Settings(), shop.address, WORKSPACE) as source:
        assert source.resolve_person(event_pb2.Identifier(namespace="card", value="c7")) > 0
        assert source.resolve_person(event_pb2.Identifier(namespace="card", value="unseen")) == 0


def test_errors_of_the_server_are_domain_errors(shop: LocalServer) -> None:
    with open_server(Settings(), shop.address, "nowhere") as source, pytest.raises(NotFound):
        source.call("ValidateRule", text="did order ever")
    with open_server(Settings(), "127.0.0.1:1", WORKSPACE) as source, pytest.raises(Unavailable):
        source.call("ValidateRule", text="did order ever")
