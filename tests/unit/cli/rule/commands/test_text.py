"""`quanyu rule check`, `lint`, `format`, `explain` and `complete`."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.rule.command_runner import LAPSED, run_rule, with_catalog
from tests.unit.dsl.twenty_rules import RULES, TAG


def test_check_accepts_a_valid_rule_and_shows_the_error_of_an_invalid_one() -> None:
    assert (with_catalog("check", "level >= silver").output, with_catalog("check", LAPSED).exit_code) == (
        "the rule is right\n",
        0,
    )
    wrong = with_catalog("check", "levl >= silver")
    assert wrong.exit_code == 1
    assert wrong.output == ("line 1, column 1: nothing is called `levl`\n  levl >= silver\n  ^\n  write: level\n")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("a(", "unclosed group"), ("a{1000}{1000}", "Compiled regex exceeds size limit of 1048576 bytes.")],
)
def test_check_tells_why_a_pattern_is_invalid(pattern: str, why: str) -> None:
    refused = with_catalog("check", f"nickname matches '{pattern}'")
    assert refused.output.startswith(f"line 1, column 18: '{pattern}' is not a valid RE2 pattern: {why}\n")


def test_check_adds_warnings_to_a_valid_rule() -> None:
    warned = with_catalog("check", "city = '上诲'")
    assert warned.exit_code == 0
    assert warned.output.startswith(
        "the rule is right\nwarning: line 1, column 8: `'上诲'` is not a declared or known value of `city`"
    )
    assert warned.output.endswith("write: city = '上海'\n")


@pytest.mark.parametrize("rule", [*RULES, TAG])
def test_check_accepts_the_twenty_rules(rule: str) -> None:
    checked = with_catalog("check", rule)
    assert (checked.exit_code, checked.output.splitlines()[0]) == (0, "the rule is right")


def test_lint_warns_about_a_condition_that_is_never_true() -> None:
    assert with_catalog("lint", "level = gold").output == "nothing to warn of\n"
    found = with_catalog("lint", "level = gold and level = silver")
    assert found.exit_code == 1
    assert "line 1, column 18:" in found.output
    assert "[NEVER_TRUE]" in found.output
    (finding,) = json.loads(with_catalog("lint", "--json", "level = gold and level = silver").output)["findings"]
    assert (finding["code"], finding["column"]) == ("NEVER_TRUE", 18)
    assert with_catalog("lint", "levl = gold").output.startswith("line 1, column 1: nothing is called `levl`")


def test_explain_prints_a_sentence_for_each_clause() -> None:
    rule = "level >= silver and did order in last 30d"
    found = with_catalog("explain", rule, "--as-of", "2026-11-22")
    assert found.exit_code == 0
    level, order = found.output.splitlines()
    assert level == "level is at least 'silver'; left out: people whose level is unknown."
    assert "from 2026-10-23 00:00 to 2026-11-22 00:00 (Asia/Shanghai, exactly 720 hours)" in order
    assert "720 小时" in with_catalog("explain", rule, "--lang", "zh").output
    assert with_catalog("explain", "levl = 1").exit_code == 1


def test_format_writes_the_canonical_form() -> None:
    text = "做过   下单 at   least 3 times in last 30d  # often"
    assert with_catalog("format", text).output == "# often\ndid order at least 3 times in last 30d\n"
    assert with_catalog("format", text, "--lang", "zh").output == "# often\n做过 下单 至少 3 次 在 最近 30d\n"
    assert [run_rule("format", "--check", text).exit_code, run_rule("format", text).exit_code] == [1, 0]
    canonical = with_catalog("format", LAPSED).output
    assert with_catalog("format", "--check", "-", text=canonical).exit_code == 0
    assert with_catalog("format", "-", text="did").exit_code == 1


def test_format_without_a_catalog_leaves_names_as_they_are() -> None:
    assert run_rule("format", "做过 下单").output == "did 下单 ever\n"
    assert run_rule("format", "did nothing").output == "did nothing ever\n"


def test_complete_lists_the_completions_at_the_cursor() -> None:
    assert with_catalog("complete", "did or").output == "order\tevent\tevent · 下单\n"
    values = with_catalog("complete", "level = 'sil and city = ''", "--at", "12").output
    assert values.split("\t")[:2] == ["'silver'", "value\n"]
    assert with_catalog("complete", "", "--limit", "2").output.splitlines()[2:] == ["..."]
    (item,) = json.loads(with_catalog("complete", "--json", "did or").output)["items"]
    assert (item["text"], item["kind"]) == ("order", "event")
    beyond = with_catalog("complete", "did", "--at", "4")
    assert (beyond.exit_code, "the text has 3 characters" in beyond.output) == (1, True)
