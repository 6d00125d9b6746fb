"""Workspaces are opened once, when first seen, and closed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quanyu.engine import CorruptError, DiskFullError
from quanyu.runtime.errors import InvalidInput, NotFound, Unavailable
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.workspaces import OpenWorkspaces


class Held:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


def made(folder: DataFolder, *names: str) -> None:
    for name in names:
        folder.log(name, "raw").mkdir(parents=True)


def test_existing_ones_are_opened_at_start_and_closed_at_the_end(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    made(folder, "cafe", "shop")
    opened: list[Held] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(Held(name)) or opened[-1])
    workspaces.open_existing()
    assert [held.name for held in opened] == ["cafe", "shop"]
    workspaces.close()
    assert all(held.closed for held in opened)
    with pytest.raises(Unavailable):
        workspaces.get("cafe")


def test_many_callers_open_one_once(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    opened = []

    def slowly(name: str) -> Held:
        opened.append(name)
        time.sleep(0.05)
        return Held(name)

    workspaces = OpenWorkspaces(folder, slowly)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: workspaces.get("new", create=True), range(8)))
    assert (len(found), opened) == (1, ["new"])


def test_unknown_ones_are_not_made_by_asking(tmp_path: Path) -> None:
    workspaces = OpenWorkspaces(DataFolder.open(tmp_path), Held)
    with pytest.raises(NotFound, match="first PutSchema or Ingest"):
        workspaces.get("nobody")
    with pytest.raises(InvalidInput):
        workspaces.get("../etc", create=True)
    with pytest.raises(InvalidInput):
        workspaces.get("")


def test_one_made_by_another_process_is_found(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    opened: list[str] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(name) or Held(name))
    workspaces.watch()
    made(folder, "late")
    deadline = time.monotonic() + 5
    while not opened and time.monotonic() < deadline:
        time.sleep(0.02)
    assert opened == ["late"]
    workspaces.close()


def test_one_made_just_before_the_end_is_opened_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 3600)
    folder = DataFolder.open(tmp_path)
    opened: list[Held] = []
    workspaces = OpenWorkspaces(folder, lambda name: opened.append(Held(name)) or opened[-1])
    workspaces.watch()
    made(folder, "late")
    workspaces.close()
    assert [(held.name, held.closed) for held in opened] == [("late", True)]


def test_a_damaged_one_is_known_at_start(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    made(folder, "cafe")

    def damaged(name: str) -> Held:
        raise CorruptError(f"{name}: segment 3 is damaged")

    with pytest.raises(CorruptError, match="segment 3"):
        OpenWorkspaces(folder, damaged).open_existing()


@pytest.mark.parametrize("passing", [DiskFullError("raw: No space left on device"), Unavailable("locked")])
def test_one_that_could_not_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, passing: Exception
) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 0.01)
    folder = DataFolder.open(tmp_path)
    attempts: list[str] = []

    def opening(name: str) -> Held:
        attempts.append(name)
        if len(attempts) < 4:
            raise passing
        return Held(name)

    workspaces = OpenWorkspaces(folder, opening)
    workspaces.watch()
    made(folder, "late")
    deadline = time.monotonic() + 5
    while len(attempts) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    workspaces.close()
    assert len(attempts) == 4
    assert len(caplog.records) == 1


def test_a_damaged_one_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanyu.runtime.workspaces.LOOK_SECONDS", 0.01)
    folder = DataFolder.open(tmp_path)
    attempts: list[str] = []

    def opening(name: str) -> Held:
        attempts.append(name)
        raise CorruptError(f"{name}: segment 3 is damaged")

    workspaces = OpenWorkspaces(folder, opening)
    workspaces.watch()
    made(folder, "late")
    time.sleep(0.3)
    workspaces.close()
    assert attempts == ["late"]
