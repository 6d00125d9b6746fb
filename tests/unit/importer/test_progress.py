"""The progress of an import, kept beside its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quanyu.importer.mapping import Mapping
from quanyu.importer.progress import Progress

MAPPING = Mapping("m", {"records": "event"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("a\n1\n")
    return path


def test_progress_is_loaded_until_it_is_removed(file: Path) -> None:
    Progress.load(file, MAPPING, "shop").advance(7)
    assert Progress.load(file, MAPPING, "shop").rows == 7
    Progress.load(file, MAPPING, "shop").remove()
    assert Progress.load(file, MAPPING, "shop").rows == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_another_workspace_mapping_or_file_begins_at_the_first_row(file: Path) -> None:
    Progress.load(file, MAPPING, "shop").advance(7)
    assert Progress.load(file, MAPPING, "other").rows == 0
    assert Progress.load(file, Mapping("m", {"records": "item"}), "shop").rows == 0
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert Progress.load(file, MAPPING, "shop").rows == 0


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"fingerprint": 1}', "\x00"])
def test_a_damaged_progress_file_starts_at_the_first_row(file: Path, kept: str) -> None:
    file.with_name("orders.csv.quanyu-progress").write_text(kept)
    assert Progress.load(file, MAPPING, "shop").rows == 0


def test_progress_that_cannot_be_stored_does_not_stop_the_import(file: Path) -> None:
    file.with_name("orders.csv.quanyu-progress").mkdir()
    progress = Progress.load(file, MAPPING, "shop")
    progress.advance(3)
    assert progress.rows == 3
    progress.remove()
