"""A workspace that this process reads itself answers calls as a server does."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.cli.rule.sources.local import open_catalog, open_data_folder, open_empty
from quanyu.runtime.errors import DataLoss, InvalidInput
from quanyu.runtime.settings import Settings
from quanyu.runtime.storage.data_folder import DataFolder

CATALOG = Path(__file__).parents[5] / "docs/rules/catering.yaml"


def test_a_catalog_has_names_and_rules_but_no_people() -> None:
    source = open_catalog(Settings(), CATALOG)
    assert not source.has_people
    assert not source.call("ValidateRule", text="level >= silver").diagnostics
    (wrong,) = source.call("ValidateRule", text="levl >= silver").diagnostics
    assert "levl" in wrong.message
    assert "level" in source.evaluation_now().catalog.attributes


def test_a_workspace_without_names_still_formats_texts() -> None:
    source = open_empty(Settings())
    assert source.call("FormatRule", text="did   x").text == "did x ever"
    assert source.call("ValidateRule", text="did x ever").diagnostics


def test_only_a_server_resolves_identifiers() -> None:
    with pytest.raises(InvalidInput, match="card:c7 is: give --server"):
        open_empty(Settings()).resolve_person(event_pb2.Identifier(namespace="card", value="c7"))


@pytest.mark.parametrize(
    ("contents", "says"),
    [("rules: 'segment x: nothing > 1'", "rules: "), ("eventTypes: 3", "catalog ")],
    ids=["rules", "schema"],
)
def test_a_wrong_catalog_names_its_file(tmp_path: Path, contents: str, says: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(contents)
    with pytest.raises(InvalidInput, match=says) as caught:
        open_catalog(Settings(), path)
    assert str(path) in caught.value.message
    assert caught.value.reason == "CATALOG_INVALID"


def test_a_data_folder_without_its_database_is_refused(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    folder.log("shop", "raw").mkdir(parents=True)
    with pytest.raises(DataLoss, match="missing or empty"):
        open_data_folder(Settings(), folder, "shop")
