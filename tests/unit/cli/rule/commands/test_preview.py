"""`quanyu rule preview` counts people on a server and prints them as a table or JSON."""

from __future__ import annotations

import json

from tests.unit.cli.rule.command_runner import run_rule
from tests.unit.local_server import WORKSPACE, LocalServer

RULE = "did order where (amount > 4) ever and in segment buyers"


def rows(output: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if line.startswith("│")]


def test_each_clause_has_its_counts_and_the_rest_of_a_funnel(shop: LocalServer) -> None:
    found = run_rule("preview", RULE, "--server", shop.address, "--workspace", WORKSPACE, "--as-of", "2026-03-01")
    assert found.exit_code == 0, found.output
    assert rows(found.output) == [
        ["did order where (amount > 4) ever", "5", "0", "5"],
        ["in segment buyers@1", "10", "0", "5"],
        ["all together", "5", "0", ""],
    ]
    assert "as of 2026-03-01 00:00:00+08:00 (Asia/Shanghai); 10 people known" in " ".join(found.output.split())


def test_json_is_the_response_and_can_include_a_sample(shop: LocalServer) -> None:
    where = ("--server", shop.address, "--workspace", WORKSPACE, "--as-of", "2026-03-01")
    found = run_rule("preview", RULE, *where, "--json", "--sample", "2")
    (counted,) = json.loads(found.output)["sets"]
    assert (counted["matched"], len(counted["sample"])) == ("5", 2)


def test_an_invalid_rule_is_reported_with_its_place(shop: LocalServer) -> None:
    found = run_rule("preview", "did ordr ever", "--server", shop.address, "--workspace", WORKSPACE)
    assert found.exit_code == 1
    assert "line 1, column 5" in found.output
