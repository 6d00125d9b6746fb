"""`quanyu rule ...` with names from a file: what it prints, and the status it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from quanyu.cli import main
from tests.unit.dsl.parsing.test_parser_twenty_rules import RULES, TAG

DOCS = Path(__file__).parents[4] / "docs/rules"
CATALOG = str(DOCS / "catering.yaml")
LAPSED = "define contact = order or scan\nsegment lapsed: last_contact > 30d"
TEST = """
test 'lapsed' {
  given anna did order at 2026-01-02 10:00 {amount: 30}
  when as of 2026-02-03
  then anna in segment lapsed
}
"""
CONTRARY = TEST.replace("'lapsed'", "'not lapsed'").replace("anna in", "anna not in")


def quanyu(*arguments: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["rule", *arguments], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def with_catalog(*arguments: str, text: str | None = None) -> Result:
    return quanyu(*arguments, "--catalog", CATALOG, text=text)


def test_check_says_what_is_right_and_what_is_wrong() -> None:
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
def test_check_says_why_a_pattern_is_invalid(pattern: str, why: str) -> None:
    refused = with_catalog("check", f"nickname matches '{pattern}'")
    assert refused.output.startswith(f"line 1, column 18: '{pattern}' is not a valid RE2 pattern: {why}\n")


def test_check_also_warns() -> None:
    warned = with_catalog("check", "city = '上诲'")
    assert warned.exit_code == 0
    assert warned.output.startswith(
        "the rule is right\nwarning: line 1, column 8: `'上诲'` is not a declared or known value of `city`"
    )
    assert warned.output.endswith("write: city = '上海'\n")


def test_a_rule_is_a_text_a_file_or_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "lapsed.rule"
    path.write_text(LAPSED.replace("contact =", "contact == "), encoding="utf-8")
    from_file = with_catalog("check", str(path))
    assert from_file.output.startswith(f"{path}: line 1, column 16:")
    assert with_catalog("check", "-", text="城市 = '上海'").exit_code == 0
    for name in ("missing.rule", str(tmp_path / "missing.rule")):
        assert "there is no file" in with_catalog("check", name).output
        assert with_catalog("check", name).exit_code == 2
    path.write_bytes(b"level = '\xff'")
    assert with_catalog("check", str(path)).exit_code == 2


def test_lint_warns_of_what_is_not_meant() -> None:
    assert with_catalog("lint", "level = gold").output == "nothing to warn of\n"
    found = with_catalog("lint", "level = gold and level = silver")
    assert found.exit_code == 1
    assert "line 1, column 18:" in found.output
    assert "[NEVER_TRUE]" in found.output
    (finding,) = json.loads(with_catalog("lint", "--json", "level = gold and level = silver").output)["findings"]
    assert (finding["code"], finding["column"]) == ("NEVER_TRUE", 18)
    assert with_catalog("lint", "levl = gold").output.startswith("line 1, column 1: nothing is called `levl`")


def test_explain_gives_a_sentence_for_each_clause() -> None:
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
    assert [quanyu("format", "--check", text).exit_code, quanyu("format", text).exit_code] == [1, 0]
    canonical = with_catalog("format", LAPSED).output
    assert with_catalog("format", "--check", "-", text=canonical).exit_code == 0
    assert with_catalog("format", "-", text="did").exit_code == 1


def test_format_without_a_catalog_leaves_names_as_they_are() -> None:
    assert quanyu("format", "做过 下单").output == "did 下单 ever\n"
    assert quanyu("format", "did nothing").output == "did nothing ever\n"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_formatted_tests_pass_as_they_did(language: str) -> None:
    formatted = with_catalog("format", "--lang", language, str(DOCS / "catering.rule")).output
    assert with_catalog("format", "--lang", language, "-", text=formatted).output == formatted
    assert with_catalog("test", "-", text=formatted).output.endswith("9 tests: 9 passed, 0 failed\n")


def test_complete_lists_what_may_stand_there() -> None:
    assert with_catalog("complete", "did or").output == "order\tevent\tevent · 下单\n"
    values = with_catalog("complete", "level = 'sil and city = ''", "--at", "12").output
    assert values.split("\t")[:2] == ["'silver'", "value\n"]
    assert with_catalog("complete", "", "--limit", "2").output.splitlines()[2:] == ["..."]
    (item,) = json.loads(with_catalog("complete", "--json", "did or").output)["items"]
    assert (item["text"], item["kind"]) == ("order", "event")
    beyond = with_catalog("complete", "did", "--at", "4")
    assert (beyond.exit_code, "the text has 3 characters" in beyond.output) == (1, True)


def test_diff_of_texts_is_in_words() -> None:
    old = "define touch = order or scan\nsegment a: level = gold and did touch\nsegment b: did touch"
    new = "define touch = scan or order\nsegment a: did touch and level = silver\ntag b: 'x' when did touch"
    found = with_catalog("diff", old, new)
    assert found.exit_code == 0
    assert found.output == (
        "definition touch:\n  it means the same\n"
        "segment a:\n  changed from level = 'gold' to level = 'silver'\n"
        "segment b: removed\ntag b: added\n"
    )
    conditions = with_catalog("diff", "level = gold", "level = gold and did order")
    assert conditions.output == "the condition:\n  added: did order ever\n"
    assert with_catalog("diff", "levl = gold", "level = gold").exit_code == 1
    assert "no rule lapsed is published" in with_catalog("diff", "lapsed", "level = gold").output


def test_tests_are_run_and_counted(tmp_path: Path) -> None:
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


def test_the_rules_of_the_catering_brand_mean_what_their_tests_say() -> None:
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


def test_a_text_with_errors_fails_its_tests(tmp_path: Path) -> None:
    bad = tmp_path / "bad.rule"
    bad.write_text(TEST, encoding="utf-8")
    found = with_catalog("test", str(bad))
    assert found.exit_code == 1
    assert f"{bad}: line 5, column 24: nothing is called `lapsed`" in found.output
    assert found.output.endswith("0 tests: 0 passed, 0 failed, 1 of 1 texts invalid\n")


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
def test_a_command_that_is_wrong_ends_with_status_2(arguments: list[str], says: str) -> None:
    found = quanyu(*arguments)
    assert found.exit_code == 2
    assert says in found.output


def test_a_catalog_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    for text, says in (
        ("eventTypes: [{name: ''}]", "name"),
        ("attributes: [{name: city, type: TYPE_SET, ordered: true}]", "city"),
        ("events: []", "events"),
    ):
        path.write_text(text)
        found = quanyu("check", "did order", "--catalog", str(path))
        assert (found.exit_code, f"catalog {path}: " in found.output, says in found.output) == (1, True, True)


@pytest.mark.parametrize("rule", [*RULES, TAG])
def test_the_twenty_rules_hold_in_the_catering_catalog(rule: str) -> None:
    checked = with_catalog("check", rule)
    assert (checked.exit_code, checked.output.splitlines()[0]) == (0, "the rule is right")


def test_rules_of_a_catalog_that_are_wrong_are_told(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("rules: |\n  segment s: did ordr\n", encoding="utf-8")
    refused = quanyu("check", "1 < 2", "--catalog", str(path))
    assert refused.exit_code == 1
    assert f"catalog {path}: rules: line 1, column 16" in refused.output
