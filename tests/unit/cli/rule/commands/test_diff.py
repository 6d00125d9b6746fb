"""`quanyu rule diff`."""

from __future__ import annotations

from tests.unit.cli.rule.command_runner import run_rule, with_catalog
from tests.unit.local_server import WORKSPACE, LocalServer


def test_diff_describes_the_differences_of_two_texts() -> None:
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


def test_diff_of_a_published_rule_counts_who_enters_and_leaves(shop: LocalServer) -> None:
    where = ("--server", shop.address, "--workspace", WORKSPACE, "--as-of", "2026-03-01")
    found = run_rule("diff", "buyers", "segment buyers@2: did order where (amount > 4) ever", *where)
    assert found.exit_code == 0, found.output
    assert "buyers: 0 enter, 5 leave, 5 stay" in found.output


def test_diff_rejects_versions_of_different_rules(shop: LocalServer) -> None:
    found = run_rule("diff", "buyers", "sellers", "--server", shop.address, "--workspace", WORKSPACE)
    assert found.exit_code == 2
    assert "different rules: give two versions of one rule" in found.output
