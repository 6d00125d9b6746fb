"""Responses are printed as text or JSON, and decide the exit status."""

from __future__ import annotations

import json

from tests.unit.cli.rule.command_runner import CONTRARY, LAPSED, TEST, with_catalog


def test_json_is_the_response_of_the_call() -> None:
    right = json.loads(with_catalog("check", "--json", "level >= silver").output)
    assert right == {
        "diagnostics": [],
        "explanation": ["level is at least 'silver'; left out: people whose level is unknown."],
    }
    wrong = with_catalog("check", "--json", "levl >= silver")
    (diagnostic,) = json.loads(wrong.output)["diagnostics"]
    assert (diagnostic["column"], diagnostic["suggestions"], wrong.exit_code) == (1, ["level"], 1)
    tests = with_catalog("test", "--json", LAPSED + TEST + CONTRARY)
    results = json.loads(tests.output)["results"]
    assert [(result["name"], result["passed"], result["line"]) for result in results] == [
        ("lapsed", True, 3),
        ("not lapsed", False, 9),
    ]
    assert tests.exit_code == 1
