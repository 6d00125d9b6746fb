"""Tests the language server by the messages of an editor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rules.editor import Editor, open_editor

CATALOG = str(Path(__file__).parents[3] / "docs/rules/catering.yaml")
URI = "file:///rules/lapsed.rule"
# An emoji (two UTF-16 units, four bytes) and Chinese (one unit, three bytes) come before the names.
INVALID = "segment s: nickname = '😀城' and levl = gold"
VALID = INVALID.replace("levl", "level")


@pytest.fixture
def opened() -> Iterator[Editor]:
    with open_editor("--catalog", CATALOG) as found:
        yield found


def show(opened: Editor, text: str, version: int = 1) -> list[dict[str, Any]]:
    """Sends the new text; returns the diagnostics of the server."""
    document = {"uri": URI, "version": version}
    if version == 1:
        opened.notify("textDocument/didOpen", {"textDocument": {**document, "languageId": "rule", "text": text}})
    else:
        opened.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
    told = opened.wait_for("textDocument/publishDiagnostics")
    assert told["uri"] == URI
    diagnostics: list[dict[str, Any]] = told["diagnostics"]
    return diagnostics


def at(line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}


def span(line: int, start: int, end: int) -> dict[str, Any]:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def test_an_error_marks_its_word_and_disappears_when_it_is_corrected(opened: Editor) -> None:
    (diagnostic,) = show(opened, INVALID)
    assert diagnostic["range"] == span(0, 32, 36)
    assert diagnostic["message"] == "nothing is called `levl`\nwrite: level"
    assert (diagnostic["severity"], diagnostic["code"]) == (1, "RULE_NAME")
    assert show(opened, VALID, 2) == []
    assert len(show(opened, f"# 注释\r\n{INVALID}", 3)) == 1
    opened.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert opened.wait_for("textDocument/publishDiagnostics")["diagnostics"] == []
    assert opened.end() == 0


def test_warnings_are_shown_with_errors(opened: Editor) -> None:
    (warning,) = show(opened, "nickname = '😀' and level = gold and level = silver")
    assert (warning["severity"], warning["code"]) == (2, "NEVER_TRUE")
    assert warning["range"] == span(0, 37, 42)


def test_hover_describes_a_name_and_explains_its_clause(opened: Editor) -> None:
    show(opened, VALID + " and did order in last 7d")
    level = opened.request("textDocument/hover", at(0, 33))
    assert level["range"] == span(0, 32, 37)
    assert level["contents"]["value"].startswith("`level`: attribute of people, enum: bronze < silver < gold\n\n")
    window = opened.request("textDocument/hover", at(0, 60))
    assert "exactly 168 hours" in window["contents"]["value"]
    assert opened.request("textDocument/hover", at(0, 2)) is None
    assert opened.request("textDocument/hover", at(7, 0)) is None


def test_completion_replaces_the_typed_prefix(opened: Editor) -> None:
    show(opened, "segment s: nickname = '😀城' and 城")
    completion = opened.request("textDocument/completion", at(0, 33))
    items = {item["textEdit"]["newText"]: item for item in completion["items"]}
    assert items["城市"]["textEdit"]["range"] == span(0, 32, 33)
    assert (items["城市"]["kind"], items["城市"]["filterText"]) == (5, "城")
    show(opened, "level = sil", 2)
    (silver,) = opened.request("textDocument/completion", at(0, 11))["items"]
    assert (silver["textEdit"], silver["kind"]) == ({"range": span(0, 8, 11), "newText": "'silver'"}, 20)
    assert opened.request("textDocument/completion", at(0, 0))["isIncomplete"]


def test_formatting_keeps_language_and_comments(opened: Editor) -> None:
    whole = {"textDocument": {"uri": URI}, "options": {"tabSize": 2, "insertSpaces": True}}
    show(opened, "# 😀\ndid   order   # 常客\n")
    (edit,) = opened.request("textDocument/formatting", whole)
    assert edit == {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}},
        "newText": "# 😀\n# 常客\ndid order ever\n",
    }
    show(opened, "做过   order", 2)
    (edit,) = opened.request("textDocument/formatting", whole)
    assert (edit["range"], edit["newText"]) == (span(0, 0, 10), "做过 下单 任何时候\n")
    show(opened, "做过 下单 任何时候\n", 3)
    assert not opened.request("textDocument/formatting", whole)
    show(opened, "did did", 4)
    assert not opened.request("textDocument/formatting", whole)


@pytest.mark.parametrize(("encoding", "start"), [("utf-8", 36), ("utf-32", 31)])
def test_positions_use_the_negotiated_encoding(encoding: str, start: int) -> None:
    with open_editor("--catalog", CATALOG, encodings=[encoding]) as opened:
        assert opened.capabilities["positionEncoding"] == encoding
        (diagnostic,) = show(opened, INVALID)
        assert diagnostic["range"] == span(0, start, start + 4)
