"""A wrong command line ends with status 2."""

from __future__ import annotations

import pytest

from tests.unit.cli.rule.command_runner import CATALOG, run_rule


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["check", "did order", "--catalog", CATALOG, "--data", "x"],
            "give only one of --server, --data and --catalog",
        ),
        (["check", "did order", "--catalog", CATALOG, "--workspace", "shop"], "--catalog has only one workspace"),
        (["check", "did order", "--server", "localhost:1"], "--server needs --workspace"),
        (["preview", "did order", "--catalog", CATALOG], "a catalog has none: give --server or --data"),
        (["why", "did order", "--person", "1", "--catalog", CATALOG], "a catalog has none: give --server or --data"),
        (["complete", "did", "--at", str(2**32), "--catalog", CATALOG], "is not in the range"),
        (["preview", "did order", "--known-at", str(2**63), "--catalog", CATALOG], "is not in the range"),
        (["diff", "--json", "did order", "did scan", "--catalog", CATALOG], "need a published OLD"),
        (["check", "--catalog", CATALOG], "Missing argument 'RULE'"),
        (["test", "--catalog", CATALOG], "Missing argument 'FILE...'"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(arguments: list[str], says: str) -> None:
    found = run_rule(*arguments)
    assert found.exit_code == 2
    assert says in found.output
