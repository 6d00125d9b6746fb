"""The data folder: its version, its locks, its names, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.runtime.errors import DataLoss, FailedPrecondition, InvalidInput
from quanyu.runtime.storage.data_folder import DataFolder, check_workspace_name


def test_a_new_folder_gets_a_version_and_opens_again(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    DataFolder.open(data)
    assert (data / "VERSION").read_text() == "1\n"
    assert DataFolder.open(data).workspaces() == []
    assert DataFolder.existing(data).path == data


def test_a_mounted_volume_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    DataFolder.open(tmp_path)


def test_a_folder_with_other_files_is_rejected_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FailedPrecondition, match="not a Quanyu data folder"):
        DataFolder.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("contents", [b"2\n", b"", b"\xff\xfe"])
def test_a_folder_of_another_version_is_rejected(tmp_path: Path, contents: bytes) -> None:
    DataFolder.open(tmp_path)
    (tmp_path / "VERSION").write_bytes(contents)
    with pytest.raises(FailedPrecondition, match=r"VERSION|version"):
        DataFolder.open(tmp_path)


def test_an_unwritable_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FailedPrecondition, match="choose another data folder"):
        DataFolder.open(tmp_path / "file" / "data")


def test_reading_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match="not a Quanyu data folder"):
        DataFolder.existing(tmp_path / "nowhere")


def test_only_one_process_runs_a_service(tmp_path: Path) -> None:
    first, second = DataFolder.open(tmp_path), DataFolder.open(tmp_path)
    first.lock("identity")
    second.lock("tagging")
    with pytest.raises(FailedPrecondition, match="already runs the identity service"):
        second.lock("identity")
    first.unlock()
    second.lock("identity")
    second.unlock()


def test_workspaces_are_the_folders_with_a_raw_log(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    for workspace in ("shop", "cafe"):
        folder.log(workspace, "raw").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    assert folder.workspaces() == ["cafe", "shop"]


@given(st.from_regex(r"[a-z][a-z0-9_-]{0,62}", fullmatch=True))
def test_a_short_lower_case_name_is_valid(name: str) -> None:
    if name != "locks":
        check_workspace_name(name)


@given(st.text())
def test_a_valid_name_is_a_folder_inside_the_data_folder(name: str) -> None:
    try:
        check_workspace_name(name)
    except InvalidInput:
        return
    assert (Path("/data") / name).resolve().parent == Path("/data")
    assert len(name) <= 63


@pytest.mark.parametrize("left", [None, b""])
def test_a_missing_database_is_data_loss_if_there_are_workspaces(tmp_path: Path, left: bytes | None) -> None:
    folder = DataFolder.open(tmp_path)
    folder.check_database()
    folder.log("shop", "raw").mkdir(parents=True)
    if left is not None:
        folder.database.write_bytes(left)
    with pytest.raises(DataLoss, match=r"quanyu\.db .*quanyu migrate"):
        folder.check_database()
    folder.database.write_bytes(b"SQLite")
    folder.check_database()
