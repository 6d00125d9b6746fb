"""`quanyu rule test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.rule.command_runner import CONTRARY, DOCS, LAPSED, TEST, with_catalog


def test_results_are_printed_and_counted(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.rule", tmp_path / "bad.rule"
    good.write_text(LAPSED + TEST, encoding="utf-8")
    bad.write_text(LAPSED + TEST + CONTRARY, encoding="utf-8")
    passing = with_catalog("test", str(good))
    assert passing.exit_code == 0
    assert passing.output == f"{good}\n  passed  lapsed (line 3)\n1 test: 1 passed, 0 failed\n"
    failing = with_catalog("test", str(good), str(bad))
    assert failing.exit_code == 1
    assert failing.output == (
        f"{good}\n  passed  lapsed (line 3)\n{bad}\n  passed  lapsed (line 3)\n  FAILED  not lapsed (line 9)\n"
        "          line 12: then anna not in segment lapsed: this is true as of 2026-02-03 00:00 (Asia/Shanghai)\n"
        "            true: last_contact@1 > 30d\n"
        "            given anna did order at 2026-01-02 10:00 {amount: 30}\n"
        "3 tests: 2 passed, 1 failed\n"
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_formatted_tests_still_pass(language: str) -> None:
    formatted = with_catalog("format", "--lang", language, str(DOCS / "catering.rule")).output
    assert with_catalog("format", "--lang", language, "-", text=formatted).output == formatted
    assert with_catalog("test", "-", text=formatted).output.endswith("9 tests: 9 passed, 0 failed\n")


def test_the_documented_catering_rules_pass_their_tests() -> None:
    found = with_catalog("test", str(DOCS / "catering.rule"))
    assert found.exit_code == 0, found.output
    assert found.output.endswith("9 tests: 9 passed, 0 failed\n")
    without = (
        (DOCS / "catering.rule").read_text(encoding="utf-8").replace(">= 3;", ">= 2;").replace("within 2h", "within 3h")
    )
    changed = with_catalog("test", "-", text=without)
    assert [line for line in changed.output.splitlines() if line.startswith("  FAILED")] == [
        "  FAILED  two orders on one day are one day (line 56)",
        "  FAILED  an order at another store does not follow the scan (line 114)",
    ]


def test_an_invalid_text_fails(tmp_path: Path) -> None:
    bad = tmp_path / "bad.rule"
    bad.write_text(TEST, encoding="utf-8")
    found = with_catalog("test", str(bad))
    assert found.exit_code == 1
    assert f"{bad}: line 5, column 24: nothing is called `lapsed`" in found.output
    assert found.output.endswith("0 tests: 0 passed, 0 failed, 1 of 1 texts invalid\n")
