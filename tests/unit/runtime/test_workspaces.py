"""Open workspaces: each is opened once, at its first use, and closed at the end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quanyu.engine import CorruptError, DiskFullError
from quanyu.runtime.errors import InvalidInput, NotFound, Unavailable
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.workspaces import OpenWorkspaces


class Opened:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


def create(folder: DataFolder, *names: str) -> None:
    for name in names:
        folder.log(name, "raw").mkdir(parents=True)


def test_existing_workspaces_are_opened_at_start_and_closed_at_the_end(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    create(folder, "cafe", "shop")
    opened: list[Opened] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(Opened(name)) or opened[-1])
    workspaces.open_existing()
    assert [one.name for one in opened] == ["cafe", "shop"]
    workspaces.close()
    assert all(one.closed for one in opened)
    with pytest.raises(Unavailable):
        workspaces.get("cafe")


def test_concurrent_callers_open_a_workspace_once(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    opened = []

    def slowly(name: str) -> Opened:
        opened.append(name)
        time.sleep(0.05)
        return Opened(name)

    workspaces = OpenWorkspaces(folder, slowly)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: workspaces.get("new", create=True), range(8)))
    assert (len(found), opened) == (1, ["new"])


def test_a_lookup_does_not_create_a_workspace(tmp_path: Path) -> None:
    workspaces = OpenWorkspaces(DataFolder.open(tmp_path), Opened)
    with pytest.raises(NotFound, match="first PutSchema or Ingest"):
        workspaces.get("nobody")
    with pytest.raises(InvalidInput):
        workspaces.get("../etc", create=True)
    with pytest.raises(InvalidInput):
        workspaces.get("")


def test_a_workspace_of_another_process_is_found(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    opened: list[str] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(name) or Opened(name))
    workspaces.watch()
    create(folder, "late")
    deadline = time.monotonic() + 5
    while not opened and time.monotonic() < deadline:
        time.sleep(0.02)
    assert opened == ["late"]
    workspaces.close()


def test_a_workspace_created_just_before_close_is_opened_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 3600)
    folder = DataFolder.open(tmp_path)
    opened: list[Opened] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(Opened(name)) or opened[-1])
    workspaces.watch()
    create(folder, "late")
    workspaces.close()
    assert [(one.name, one.closed) for one in opened] == [("late", True)]


def test_a_damaged_workspace_is_an_error_at_start(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    create(folder, "cafe")

    def damaged(name: str) -> Opened:
        raise CorruptError(f"{name}: segment 3 is damaged")

    with pytest.raises(CorruptError, match="segment 3"):
        OpenWorkspaces(folder, damaged).open_existing()


@pytest.mark.parametrize("passing", [DiskFullError("raw: No space left on device"), Unavailable("locked")])
def test_a_workspace_that_could_not_be_opened_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, passing: Exception
) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 0.01)
    folder = DataFolder.open(tmp_path)
    attempts: list[str] = []

    def opening(name: str) -> Opened:
        attempts.append(name)
        if len(attempts) < 4:
            raise passing
        return Opened(name)

    workspaces = OpenWorkspaces(folder, opening)
    workspaces.watch()
    create(folder, "late")
    deadline = time.monotonic() + 5
    while len(attempts) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    workspaces.close()
    assert len(attempts) == 4
    assert len(caplog.records) == 1


def test_a_damaged_workspace_is_not_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 0.01)
    folder = DataFolder.open(tmp_path)
    attempts: list[str] = []

    def opening(name: str) -> Opened:
        attempts.append(name)
        raise CorruptError(f"{name}: segment 3 is damaged")

    workspaces = OpenWorkspaces(folder, opening)
    workspaces.watch()
    create(folder, "late")
    time.sleep(0.3)
    workspaces.close()
    assert attempts == ["late"]
