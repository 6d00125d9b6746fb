"""The options select the rule text and the source of its names."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.rule.command_runner import LAPSED, run_rule, with_catalog


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


def test_an_invalid_catalog_is_reported_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    for text, says in (
        ("eventTypes: [{name: ''}]", "name"),
        ("attributes: [{name: city, type: TYPE_SET, ordered: true}]", "city"),
        ("events: []", "events"),
    ):
        path.write_text(text)
        found = run_rule("check", "did order", "--catalog", str(path))
        assert (found.exit_code, f"catalog {path}: " in found.output, says in found.output) == (1, True, True)


def test_invalid_rules_of_a_catalog_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("rules: |\n  segment s: did ordr\n", encoding="utf-8")
    refused = run_rule("check", "1 < 2", "--catalog", str(path))
    assert refused.exit_code == 1
    assert f"catalog {path}: rules: line 1, column 16" in refused.output
