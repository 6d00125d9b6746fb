"""A language server for `*.rule` files: diagnostics and hover, by the calls that the command line asks too."""

from __future__ import annotations

from importlib.metadata import version

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.rulecli.hover import hover
from quanyu.rulecli.positions import Positions
from quanyu.rulecli.sources import Source
from quanyu.runtime.errors import DomainError


class RuleServer(LanguageServer):
    """The open texts of one editor, and what they are read against."""

    def __init__(self, source: Source) -> None:
        super().__init__("quanyu", version("quanyu"), lsp.TextDocumentSyncKind.Full)
        self.source = source

    def opened_text(self, uri: str) -> tuple[str, Positions]:
        text = self.workspace.get_text_document(uri).source
        return text, Positions(text, self.workspace.position_codec)

    def publish(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics))


def serve(source: Source) -> None:
    """Until the editor ends it, on standard input and output."""
    server = RuleServer(source)
    server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)(_opened)
    server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    server.feature(lsp.TEXT_DOCUMENT_HOVER)(_hovered)
    server.start_io()


def _opened(server: RuleServer, params: lsp.DidOpenTextDocumentParams) -> None:
    _diagnose(server, params.text_document.uri)


def _changed(server: RuleServer, params: lsp.DidChangeTextDocumentParams) -> None:
    _diagnose(server, params.text_document.uri)


def _closed(server: RuleServer, params: lsp.DidCloseTextDocumentParams) -> None:
    server.publish(params.text_document.uri, [])


def _hovered(server: RuleServer, params: lsp.HoverParams) -> lsp.Hover | None:
    text, positions = server.opened_text(params.text_document.uri)
    found = hover(text, positions.offset(params.position), server.source.reading())
    if found is None:
        return None
    contents = lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n".join(found.lines))
    return lsp.Hover(contents, positions.range(found.start, found.end))


def _diagnose(server: RuleServer, uri: str) -> None:
    text, positions = server.opened_text(uri)
    try:
        answer: pb.ValidateRuleResponse = server.source.ask("ValidateRule", text=text)
    except DomainError as error:
        server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, error.message))
        return
    server.publish(uri, [_diagnostic(found, positions) for found in answer.diagnostics])


def _diagnostic(found: pb.Diagnostic, positions: Positions) -> lsp.Diagnostic:
    message = "\n".join([found.message, *(f"write: {suggestion}" for suggestion in found.suggestions)])
    place = positions.word_range(found.line, found.column)
    return lsp.Diagnostic(place, message, lsp.DiagnosticSeverity.Error, code=found.reason, source="quanyu")
