"""The handlers of the language server answer an editor; the protocol itself is an integration test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.workspace import Workspace

from quanyu.cli.rule.language_server import server as handlers
from quanyu.cli.rule.language_server.server import RuleServer
from quanyu.cli.rule.sources.local import open_catalog
from quanyu.runtime.settings import Settings

CATALOG = Path(__file__).parents[5] / "docs/rules/catering.yaml"
DOCUMENT = lsp.TextDocumentIdentifier("file:///rules/lapsed.rule")


class RecordingServer(RuleServer):
    """Keeps what it would send to the editor."""

    def __init__(self) -> None:
        super().__init__(open_catalog(Settings(), CATALOG))
        self.protocol._workspace = Workspace(None)
        self.published: list[lsp.Diagnostic] = []

    def publish(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> None:
        assert uri == DOCUMENT.uri
        self.published = diagnostics

    def open(self, text: str) -> None:
        item = lsp.TextDocumentItem(DOCUMENT.uri, "rule", 1, text)
        self.workspace.put_text_document(item)
        handlers._opened(self, lsp.DidOpenTextDocumentParams(item))


@pytest.fixture(scope="module")
def server() -> RecordingServer:
    return RecordingServer()


def cursor(character: int) -> dict[str, Any]:
    return {"text_document": DOCUMENT, "position": lsp.Position(0, character)}


def test_an_opened_text_gets_its_errors_and_warnings(server: RecordingServer) -> None:
    server.open("levl = gold")
    (error,) = server.published
    assert (error.severity, error.code) == (lsp.DiagnosticSeverity.Error, "RULE_NAME")
    assert error.range == lsp.Range(lsp.Position(0, 0), lsp.Position(0, 4))
    server.open("level = gold and level = silver")
    (warning,) = server.published
    assert (warning.severity, warning.code) == (lsp.DiagnosticSeverity.Warning, "NEVER_TRUE")


def test_a_closed_text_loses_its_diagnostics(server: RecordingServer) -> None:
    server.open("levl = gold")
    handlers._closed(server, lsp.DidCloseTextDocumentParams(DOCUMENT))
    assert server.published == []


def test_completions_replace_the_word_at_the_cursor(server: RecordingServer) -> None:
    server.open("did or")
    found = handlers._completed(server, lsp.CompletionParams(**cursor(6)))
    (item,) = found.items
    assert (item.label, item.kind, item.filter_text) == ("order", lsp.CompletionItemKind.Event, "or")
    assert item.text_edit == lsp.TextEdit(lsp.Range(lsp.Position(0, 4), lsp.Position(0, 6)), "order")


def test_a_name_has_a_hover_and_a_gap_has_none(server: RecordingServer) -> None:
    server.open("level = gold    ")
    found = handlers._hovered(server, lsp.HoverParams(**cursor(2)))
    assert found is not None
    assert found.range == lsp.Range(lsp.Position(0, 0), lsp.Position(0, 5))
    assert handlers._hovered(server, lsp.HoverParams(**cursor(15))) is None


def test_formatting_keeps_the_language_and_leaves_invalid_texts(server: RecordingServer) -> None:
    params = lsp.DocumentFormattingParams(DOCUMENT, lsp.FormattingOptions(2, True))
    for text, formatted in (("做过   下单", "做过 下单 任何时候\n"), ("did   order", "did order ever\n")):
        server.open(text)
        edits = handlers._formatted(server, params)
        assert edits is not None
        assert [edit.new_text for edit in edits] == [formatted]
    for text in ("did order ever\n", "did"):
        server.open(text)
        assert handlers._formatted(server, params) is None
