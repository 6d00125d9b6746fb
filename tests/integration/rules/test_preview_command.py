"""`quanyu rule preview` reads a data folder, with or without a running server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import FLOW, running
from tests.integration.shop import SCHEMA, batch, lives_in, order
from tests.waiting import PATIENCE


def preview(data: Path, rule: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quanyu", "rule", "preview", rule, "--data", str(data), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_preview_counts_people_in_the_folder_of_a_stopped_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    rule = "in segment buyers and did order where (amount > 50) ever"
    with running(data, [FLOW]) as quanyu:
        quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=SCHEMA))
        records = [order(str(n), f"card:c{n}", 3, amount=str(n)) for n in range(100)]
        offset = quanyu.ingestion.Ingest(batch("shop", *records)).raw_offset
        text = "segment buyers: did order in last 7d"
        publish = tagging_pb2.PublishRuleRequest(workspace="shop", text=text, min_raw_offset=offset)
        quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
        beside = preview(data, rule, "--as-of", "2026-03-01T08:00")
        quanyu.stop()
    after = preview(data, rule, "--as-of", "2026-03-01T08:00", "--workspace", "shop")
    for found in (beside, after):
        assert found.returncode == 0, found.stderr
        rows = [line.split("│")[1:4] for line in found.stdout.splitlines() if line.startswith("│")]
        assert [(people.strip(), unknown.strip()) for _, people, unknown in rows] == [
            ("100", "0"),
            ("49", "0"),
            ("49", "0"),
        ]
        assert "as of 2026-03-01 08:00:00+08:00 (Asia/Shanghai)" in found.stdout
    earlier = preview(data, "in segment buyers", "--as-of", "2026-02-01")
    assert "0 people known" in earlier.stdout
    declared = preview(data, "in segment buyers", "--known-at", "1")
    assert "0 people known; raw log folded up to 1" in " ".join(declared.stdout.split())


def test_errors_are_shown_without_a_traceback(tmp_path: Path) -> None:
    nowhere = preview(tmp_path / "nowhere", "did order ever")
    assert (nowhere.returncode, "not a Quanyu data folder" in nowhere.stderr) == (1, True)
    data = tmp_path / "data"
    with running(data, [FLOW]) as quanyu:
        declared = quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace="shop", schema=SCHEMA))
        offset = quanyu.ingestion.Ingest(batch("shop", lives_in("card:ann", "上海"))).raw_offset
        assert offset > declared.raw_offset
        quanyu.stop()
    for rule, options, says in [
        ("did ordr ever", (), "    ^"),
        ("did order ever", ("--workspace", "shoop"), "it has: shop"),
        ("did order ever", ("--as-of", "yesterday"), "write a date or time"),
        ("did order ever", ("--as-of", "0001-01-01"), "give an instant of the years 1900 to 9998"),
        ("did order ever", ("--known-at", "3"), "folded up to offset 2"),
        ("city matches '('", (), "pattern"),
    ]:
        found = preview(data, rule, *options)
        assert found.returncode == 1
        assert says in found.stderr
        assert "Traceback" not in found.stderr


def test_preview_without_a_workspace_counts_in_each_one_where_the_rule_is_valid(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, [FLOW]) as quanyu:
        for workspace, schema in (
            ("empty", event_pb2.Schema(settings=event_pb2.Settings(timezone="UTC"))),
            ("shop", SCHEMA),
            ("shop2", SCHEMA),
        ):
            quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=workspace, schema=schema))
            quanyu.ingestion.Ingest(batch(workspace, lives_in("card:1", "Beijing")))
        quanyu.stop()
    found = preview(data, "did order ever")
    assert found.returncode == 0, found.stderr
    titles = [line for line in found.stdout.splitlines() if line.startswith("In workspace")]
    assert titles == ["In workspace shop:", "In workspace shop2:"]
