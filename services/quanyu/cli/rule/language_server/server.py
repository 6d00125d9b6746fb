"""A language server for `*.rule` files; it makes the calls that the commands make."""

from __future__ import annotations

from importlib.metadata import version

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.language_server.hover import hover
from quanyu.cli.rule.language_server.positions import Positions
from quanyu.cli.rule.rule_language import MESSAGES, detect_language
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.runtime.errors import DomainError

_MOST_OFFERED = 200
_TRIGGERS = lsp.CompletionOptions(trigger_characters=[" ", ".", "[", "'", '"', "`"])
_KINDS = {
    "keyword": lsp.CompletionItemKind.Keyword,
    "sign": lsp.CompletionItemKind.Operator,
    "window": lsp.CompletionItemKind.Snippet,
    "attribute": lsp.CompletionItemKind.Field,
    "property": lsp.CompletionItemKind.Property,
    "event": lsp.CompletionItemKind.Event,
    "definition": lsp.CompletionItemKind.Event,
    "metric": lsp.CompletionItemKind.Function,
    "recency": lsp.CompletionItemKind.Function,
    "segment": lsp.CompletionItemKind.Class,
    "tag": lsp.CompletionItemKind.Enum,
    "value": lsp.CompletionItemKind.EnumMember,
    "channel": lsp.CompletionItemKind.EnumMember,
}


class RuleServer(LanguageServer):
    """Holds the open texts of one editor, and the source of their names."""

    def __init__(self, source: RuleSource) -> None:
        super().__init__("quanyu", version("quanyu"), lsp.TextDocumentSyncKind.Full)
        self.source = source

    def opened_text(self, uri: str) -> tuple[str, Positions]:
        text = self.workspace.get_text_document(uri).source
        return text, Positions(text, self.workspace.position_codec)

    def publish(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics))


def serve(source: RuleSource) -> None:
    """Serves an editor on standard input and output until the editor ends the connection."""
    server = RuleServer(source)
    server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)(_opened)
    server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    server.feature(lsp.TEXT_DOCUMENT_COMPLETION, _TRIGGERS)(_completed)
    server.feature(lsp.TEXT_DOCUMENT_HOVER)(_hovered)
    server.feature(lsp.TEXT_DOCUMENT_FORMATTING)(_formatted)
    server.start_io()


def _opened(server: RuleServer, params: lsp.DidOpenTextDocumentParams) -> None:
    _diagnose(server, params.text_document.uri)


def _changed(server: RuleServer, params: lsp.DidChangeTextDocumentParams) -> None:
    _diagnose(server, params.text_document.uri)


def _closed(server: RuleServer, params: lsp.DidCloseTextDocumentParams) -> None:
    server.publish(params.text_document.uri, [])


def _completed(server: RuleServer, params: lsp.CompletionParams) -> lsp.CompletionList:
    text, positions = server.opened_text(params.text_document.uri)
    offset = positions.offset(params.position)
    answer: pb.CompleteRuleResponse = server.source.call("CompleteRule", text=text, offset=offset, limit=_MOST_OFFERED)
    start = getattr(answer, "from")
    place, typed = positions.range(start, answer.to), text[start:offset]
    is_counted = server.source.has_people
    items = [
        lsp.CompletionItem(
            label=item.label or item.text,
            kind=_KINDS.get(item.kind, lsp.CompletionItemKind.Text),
            detail=f"{item.detail} ({item.people:,} people)" if is_counted and item.HasField("people") else item.detail,
            text_edit=lsp.TextEdit(place, item.text),
            # Otherwise the editor hides what matches by another name, and sorts the rest itself.
            filter_text=typed,
            sort_text=f"{at:04}",
        )
        for at, item in enumerate(answer.items)
    ]
    return lsp.CompletionList(is_incomplete=True, items=items)


def _hovered(server: RuleServer, params: lsp.HoverParams) -> lsp.Hover | None:
    text, positions = server.opened_text(params.text_document.uri)
    found = hover(text, positions.offset(params.position), server.source.evaluation_now())
    if found is None:
        return None
    contents = lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n".join(found.lines))
    return lsp.Hover(contents, positions.range(found.start, found.end))


def _formatted(server: RuleServer, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    """Formats a text in the language of its keywords; returns None for a text that cannot be parsed."""
    text, positions = server.opened_text(params.text_document.uri)
    answer: pb.FormatRuleResponse = server.source.call(
        "FormatRule", text=text, language=MESSAGES[detect_language(text)]
    )
    formatted = f"{answer.text}\n"
    if answer.diagnostics or formatted == text:
        return None
    return [lsp.TextEdit(positions.range(0, len(text)), formatted)]


def _diagnose(server: RuleServer, uri: str) -> None:
    text, positions = server.opened_text(uri)
    try:
        answer: pb.LintRuleResponse = server.source.call("LintRule", text=text)
    except DomainError as error:
        server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, error.message))
        return
    errors = [_shown(found, found.reason, lsp.DiagnosticSeverity.Error, positions) for found in answer.diagnostics]
    warnings = [_shown(found, found.code, lsp.DiagnosticSeverity.Warning, positions) for found in answer.findings]
    server.publish(uri, errors + warnings)


def _shown(
    found: pb.Diagnostic | pb.Finding, code: str, severity: lsp.DiagnosticSeverity, positions: Positions
) -> lsp.Diagnostic:
    message = "\n".join([found.message, *(f"write: {suggestion}" for suggestion in found.suggestions)])
    place = positions.word_range(found.line, found.column)
    return lsp.Diagnostic(place, message, severity, code=code, source="quanyu")
