"""Catalogs in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanyu.cli.catalog_file import load_catalog, parse_catalog
from quanyu.runtime.errors import InvalidInput


def test_a_catalog_is_a_schema_and_channels() -> None:
    declared = parse_catalog(
        "channels: [pos]\neventTypes:\n  - name: order\n    aliases: [下单]\nsettings: {timezone: UTC}\n", "shop.yaml"
    )
    assert declared.channels == ("pos",)
    assert [(event.name, list(event.aliases)) for event in declared.schema.event_types] == [("order", ["下单"])]
    assert declared.schema.settings.timezone == "UTC"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("eventTypes: [", "line 1, column"),
        ("a: 1\na: 2", "the key a is repeated"),
        ("- order", "must be keys"),
        ("", "must be keys"),
        ("events: []", "events"),
        ("attributes: [{name: city, type: TYPE_ENUMM}]", "TYPE_ENUMM"),
        ("attributes: [{name: flag, values: [yes]}]", "values"),
        ("channels: pos", "channels"),
        ("channels: [yes]", "channels"),
    ],
)
def test_what_is_no_catalog_is_said(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_catalog(text, "shop.yaml")
    assert refused.value.message.startswith("catalog shop.yaml: ")
    assert says in refused.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"channels: [caf\xe9]")
    for name in ("missing.yaml", "latin.yaml"):
        with pytest.raises(InvalidInput, match=name):
            load_catalog(tmp_path / name)
