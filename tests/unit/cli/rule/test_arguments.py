"""A rule is a text, a file or standard input; instants are in the workspace's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from quanyu.cli.rule.arguments import RuleParam, RuleText, resolve_as_of
from quanyu.cli.rule.sources.local import open_catalog
from quanyu.cli.rule.sources.source import RuleSource
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.settings import Settings

CATALOG = Path(__file__).parents[4] / "docs/rules/catering.yaml"


@pytest.fixture(scope="module")
def shanghai() -> RuleSource:
    return open_catalog(Settings(), CATALOG)


def test_a_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "lapsed.rule"
    path.write_bytes("\ufeffdid order ever".encode())
    assert RuleParam().convert(str(path), None, None) == RuleText(str(path), "did order ever")


def test_any_other_text_is_the_rule_itself() -> None:
    assert RuleParam().convert("did order ever", None, None) == RuleText("", "did order ever")
    given = RuleText("a.rule", "x")
    assert RuleParam().convert(given, None, None) is given


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="there is no file"):
        RuleParam().convert(str(tmp_path / "lapsed.rule"), None, None)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 16, tzinfo=UTC)),
        ("2026-01-31T08:00", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00+00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_an_instant_without_a_zone_is_in_that_of_the_workspace(
    shanghai: RuleSource, text: str, instant: datetime
) -> None:
    assert resolve_as_of(shanghai, text).instant.ToDatetime(UTC) == instant
    assert resolve_as_of(shanghai, None, known_before=text).known_before.ToDatetime(UTC) == instant


def test_options_that_are_not_given_are_unset(shanghai: RuleSource) -> None:
    as_of = resolve_as_of(shanghai, None)
    assert not any(as_of.HasField(field) for field in ("instant", "known_at", "known_before"))
    assert resolve_as_of(shanghai, None, known_at=0).HasField("known_at")


@pytest.mark.parametrize("text", ["yesterday", "1899-12-31", "9999-01-01", ""])
def test_what_is_not_an_instant_is_refused_with_the_option(shanghai: RuleSource, text: str) -> None:
    with pytest.raises(InvalidInput, match="--known-before"):
        resolve_as_of(shanghai, None, known_before=text)
