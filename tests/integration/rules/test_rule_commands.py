"""`quanyu rule ...` reads a server that requires a token, or its data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.ingestion.v1.ingestion_pb2_grpc import IngestionServiceStub
from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.api.tagging.v1.tagging_pb2_grpc import TaggingServiceStub
from quanyu.runtime.rpc.channels import open_channel
from tests.integration.rules.editor import open_editor
from tests.integration.server_process import FLOW, address_of, serve, stopped
from tests.integration.shop import SCHEMA, batch, lives_in, order
from tests.waiting import PATIENCE

TEST = """
test 'who bought lately' {
  given anna did order at 2026-02-01 10:00 {amount: 30}
  given bob {city: '杭州'}
  when as of 2026-02-03
  then anna in segment buyers
  then anna in segment big
  then bob not in segment buyers
}
segment big among buyers: did order where (amount > 20) ever
"""


class Shop:
    """A workspace with a published segment; the commands have the token."""

    def __init__(self, data: Path, address: str, token: Path) -> None:
        self.data, self.address, self.token = data, address, token
        self.places = {
            "server": ("--server", address, "--workspace", "shop"),
            "folder": ("--data", str(data), "--workspace", "shop"),
        }

    def rule(self, command: str, *arguments: str, place: str, token: bool = True) -> subprocess.CompletedProcess[str]:
        environment = os.environ | ({"QUANYU_AUTH_TOKEN_FILE": str(self.token)} if token else {})
        words = [sys.executable, "-m", "quanyu", "rule", command, *arguments, *self.places[place]]
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("rules")
    token = folder / "token"
    token.write_text("open sesame\n")
    process = serve(folder / "data", *FLOW, QUANYU_AUTH_TOKEN_FILE=str(token))
    try:
        address = address_of(process)
        with open_channel(address, token="open sesame") as channel:
            ingestion, tagging = IngestionServiceStub(channel), TaggingServiceStub(channel)
            ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=SCHEMA), timeout=PATIENCE)
            records = [*(order(str(n), f"card:c{n}", 3) for n in range(7)), lives_in("card:c9", "上海")]
            offset = ingestion.Ingest(batch("shop", *records), timeout=PATIENCE).raw_offset
            text = "segment buyers: did order in last 30d"
            publish = tagging_pb2.PublishRuleRequest(workspace="shop", text=text, min_raw_offset=offset)
            tagging.PublishRule(publish, timeout=PATIENCE)
        yield Shop(folder / "data", address, token)
    finally:
        process.send_signal(signal.SIGKILL)
        stopped(process)


@pytest.fixture(params=["server", "folder"])
def place(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_commands_use_names_and_rules_of_the_workspace(shop: Shop, place: str) -> None:
    right = shop.rule("check", "in segment buyers and city = '上海'", place=place)
    assert (right.returncode, right.stdout) == (0, "the rule is right\n"), right.stderr
    wrong = shop.rule("check", "in segment byers", place=place)
    assert (wrong.returncode, "write: buyers" in wrong.stdout) == (1, True)
    explained = shop.rule("explain", "in segment buyers", place=place)
    assert "buyers@1" in explained.stdout


def test_preview_counts_people_and_writes_json(shop: Shop, place: str) -> None:
    asked = ("in segment buyers or city = '上海'", "--as-of", "2026-03-01T08:00")
    shown = shop.rule("preview", *asked, place=place)
    assert "as of 2026-03-01 08:00:00+08:00 (Asia/Shanghai); 8 people known" in " ".join(shown.stdout.split())
    (counted,) = json.loads(shop.rule("preview", "--json", *asked, place=place).stdout)["sets"]
    assert (counted["matched"], [clause["matched"] for clause in counted["clauses"]]) == ("8", ["7", "1"])
    refused = shop.rule("preview", "did ordr", place=place)
    assert (refused.returncode, "    ^" in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)


def test_rule_tests_see_published_rules_and_no_people_of_the_workspace(shop: Shop, place: str) -> None:
    found = shop.rule("test", TEST, place=place)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.endswith("1 test: 1 passed, 0 failed\n")
    failing = shop.rule("test", "--json", TEST.replace("bob not in", "bob in"), place=place)
    (result,) = json.loads(failing.stdout)["results"]
    assert (failing.returncode, result["passed"], len(result["failures"])) == (1, False, 1)


def test_diff_describes_a_change_and_counts_people(shop: Shop, place: str) -> None:
    day = ("--as-of", "2026-03-01T08:00")
    found = shop.rule("diff", "buyers", "segment buyers@2: did order in last 1d", *day, place=place)
    assert found.returncode == 0, found.stderr
    words, people = found.stdout.splitlines()[1:]
    assert words == "  changed from did order in last 30d to did order in last 1d"
    assert "0 enter, 7 leave, 0 stay" in people
    answer = json.loads(shop.rule("diff", "--json", "buyers", "segment buyers@2: did order", place=place).stdout)
    assert (answer["change"]["from_version"], answer["change"]["to_version"]) == (1, 2)
    two = shop.rule("diff", "buyers", "sellers", place=place)
    assert (two.returncode, "different rules" in two.stderr) == (2, True)
    same = shop.rule("diff", "buyers@1", "buyers", place=place)
    assert same.stdout.startswith("buyers@1 to buyers@1:\n  it means the same\n")


def test_why_shows_the_deciding_clause_and_the_next_change(shop: Shop) -> None:
    asked = ("why", "buyers", "--as-of", "2026-03-01T08:00")
    found = shop.rule(*asked, "--person", "card:c3", place="server")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(
        "true as of 2026-03-01 08:00:00+08:00 (Asia/Shanghai)\n  true: did order in last 30d"
    )
    person = json.loads(shop.rule(*asked, "--json", "--person", "card:c3", place="server").stdout)
    assert person["verdict"] == "VERDICT_TRUE"
    for nobody in ("", "anna", str(2**64)):
        assert "give a OneID" in shop.rule(*asked, "--person", nobody, place="folder").stderr
    assert "no person has this identifier" in shop.rule(*asked, "--person", "card:nobody", place="server").stderr
    assert "give --server" in shop.rule(*asked, "--person", "card:c3", place="folder").stderr
    oneid = str(2**32)
    by_id = [shop.rule(*asked, "--person", oneid, place=place) for place in ("server", "folder")]
    assert by_id[0].stdout == by_id[1].stdout != ""


def test_the_server_rejects_commands_without_the_token(shop: Shop) -> None:
    refused = shop.rule("check", "did order", place="server", token=False)
    assert refused.returncode == 1
    assert "authorization" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr


def test_the_language_server_checks_rules_with_the_server(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANYU_AUTH_TOKEN_FILE", str(shop.token))
    with open_editor(*shop.places["server"]) as opened:
        document = {"uri": "file:///a.rule", "languageId": "rule", "version": 1, "text": "in segment byers"}
        opened.notify("textDocument/didOpen", {"textDocument": document})
        (diagnostic,) = opened.wait_for("textDocument/publishDiagnostics")["diagnostics"]
        assert "write: buyers" in diagnostic["message"]
        hovered = {"textDocument": {"uri": "file:///a.rule"}, "position": {"line": 0, "character": 12}}
        assert opened.request("textDocument/hover", hovered) is None
        assert opened.end() == 0
