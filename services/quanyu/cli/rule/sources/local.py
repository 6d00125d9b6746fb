"""Workspaces that this process reads itself: of a data folder, of a catalog in a file, or empty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from quanyu.api.event.v1 import event_pb2
from quanyu.cli.catalog_file import DeclaredCatalog, load_catalog
from quanyu.cli.rule.sources.source import build_request
from quanyu.dsl import Library, RuleError, check_and_bind
from quanyu.engine import CoreError, Index
from quanyu.runtime.errors import InvalidInput, to_domain_error
from quanyu.runtime.instants import now_ms
from quanyu.runtime.log_follower import FRAMES_BYTES
from quanyu.runtime.rpc.local_call import call_locally
from quanyu.runtime.settings import Settings
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.database import Database
from quanyu.runtime.storage.event_log import follow_log
from quanyu.tagging.calls.comparisons import ComparisonCalls
from quanyu.tagging.calls.explanations import MembershipExplanationCalls
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.calls.texts import RuleTextCalls
from quanyu.tagging.evaluation.arrivals import offset_known_before
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.rule_tests.in_memory_workspace import build_in_memory_workspace
from quanyu.tagging.storage.store import all_rules
from quanyu.tagging.workspace import ReadableWorkspace, SchemaSnapshot


class LocalSource:
    """A workspace that this process reads itself; it answers calls as a server does."""

    def __init__(self, workspace: ReadableWorkspace, query_bytes: int, *, has_people: bool) -> None:
        self.workspace = workspace.name
        self.has_people = has_people
        self._readable = workspace
        requests = RequestContext(_OneWorkspace(workspace), query_bytes)
        self._servicers = [RuleTextCalls(requests), ComparisonCalls(requests), MembershipExplanationCalls(requests)]

    def call(self, method: str, **fields: Any) -> Any:
        return call_locally(self._servicers, method, build_request(method, self.workspace, fields))

    def evaluation_now(self) -> EvaluationContext:
        return self._readable.evaluation_at(now_ms())

    def resolve_person(self, identifier: event_pb2.Identifier) -> int:
        raise InvalidInput(
            f"only a server knows whose identifier {identifier.namespace}:{identifier.value} is: "
            "give --server, or the person's OneID"
        )


class _OneWorkspace:
    """Finds the same workspace by any name."""

    def __init__(self, workspace: ReadableWorkspace) -> None:
        self._workspace = workspace

    def get(self, workspace: str, /) -> ReadableWorkspace:
        return self._workspace


def open_data_folder(settings: Settings, data: DataFolder, workspace: str) -> LocalSource:
    """Opens a workspace of a data folder for reading; a server may be running on the folder."""
    if settings.database_url is None:
        data.check_database()
    library = _read_library(settings.database_url or data.database_url(), workspace)
    return LocalSource(_StoredWorkspace(data, workspace, library), settings.query_mib * 2**20, has_people=True)


def open_catalog(settings: Settings, path: Path) -> LocalSource:
    """Opens the names and rules of a catalog file, without people; raises InvalidInput if it holds no catalog."""
    declared = load_catalog(path)
    try:
        workspace = _DeclaredWorkspace(declared, build_in_memory_workspace(declared.schema.SerializeToString()).index)
    except CoreError as error:
        raise InvalidInput(f"catalog {path}: {to_domain_error(error).message}", reason="CATALOG_INVALID") from error
    except RuleError as error:
        raise InvalidInput(f"catalog {path}: rules: {error}", reason="CATALOG_INVALID") from error
    return LocalSource(workspace, settings.query_mib * 2**20, has_people=False)


def open_empty(settings: Settings) -> LocalSource:
    """Opens a workspace without names and people."""
    index = build_in_memory_workspace(b"").index
    return LocalSource(ReadableWorkspace("none", index, Library()), settings.query_mib * 2**20, has_people=False)


class _StoredWorkspace(ReadableWorkspace):
    """A workspace of a data folder, folded up to the end of its log."""

    def __init__(self, data: DataFolder, workspace: str, library: Library) -> None:
        self._resolved = follow_log(data, workspace, "resolved")
        index = Index.follow(str(data.state(workspace, "tagging")))
        while self._resolved.end() > index.offset():
            index.fold(self._resolved.read(index.offset(), FRAMES_BYTES))
        super().__init__(workspace, index, library)

    def offset_known_before(self, instant_ms: int) -> int:
        return min(offset_known_before(self._resolved, instant_ms), super().offset_known_before(instant_ms))


class _DeclaredWorkspace(ReadableWorkspace):
    """A workspace with the names and rules of a catalog file."""

    def __init__(self, declared: DeclaredCatalog, index: Index) -> None:
        super().__init__("catalog", index, Library())
        self._channels = declared.channels
        self.library = Library().publish(check_and_bind(declared.rules, self.schema_snapshot(None).catalog, Library()))

    def schema_snapshot(self, known_at: int | None) -> SchemaSnapshot:
        found = super().schema_snapshot(known_at)
        return replace(found, catalog=replace(found.catalog, channels=self._channels))


def _read_library(url: str, workspace: str) -> Library:
    database = Database(url)
    with database.reading() as session:
        library = Library.from_texts(published.text for published in all_rules(session, workspace))
    database.close()
    return library
