"""Runs `quanyu rule ...` in this process, with names from the catalog of the documentation."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from quanyu.cli import main

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


def run_rule(*arguments: str, text: str | None = None) -> Result:
    """Runs a command; `text` is its standard input. Lets unexpected exceptions pass."""
    result = CliRunner().invoke(main, ["rule", *arguments], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def with_catalog(*arguments: str, text: str | None = None) -> Result:
    return run_rule(*arguments, "--catalog", CATALOG, text=text)
