"""Logs: one writer, any number of readers, and errors of damage that say how to repair it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from quanyu.engine import LockedError
from quanyu.runtime.errors import DataLoss
from quanyu.runtime.storage import event_log
from quanyu.runtime.storage.data_folder import DataFolder
from quanyu.runtime.storage.event_log import REPAIRS, LogName, create_log, follow_log, read_frames


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path)


def test_frames_are_read_from_an_offset_to_the_end(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "READ_BYTES", 8)  # One or two frames at a time.
    log = create_log(folder, "shop", "raw")
    frames = [f"frame {number}".encode() for number in range(10)]
    assert [log.append(frame) for frame in frames] == list(range(10))
    assert list(read_frames(log, 0)) == list(enumerate(frames))
    assert list(read_frames(log, 7)) == list(enumerate(frames))[7:]
    assert list(read_frames(log, 10)) == []
    log.close()


def test_frames_that_arrive_while_reading_are_read_the_next_time(folder: DataFolder) -> None:
    log = create_log(folder, "shop", "raw")
    log.append(b"first")
    reading = read_frames(log, 0)
    assert next(reading) == (0, b"first")
    log.append(b"late")
    assert list(reading) == []
    assert list(read_frames(log, 1)) == [(1, b"late")]
    log.close()


def test_a_log_has_one_writer_and_readers_before_it_exists(folder: DataFolder) -> None:
    reader = follow_log(folder, "shop", "resolved")
    assert list(read_frames(reader, 0)) == []
    writer = create_log(folder, "shop", "resolved")
    with pytest.raises(LockedError):
        create_log(folder, "shop", "resolved")
    writer.append(b"one")
    assert list(read_frames(reader, 0)) == [(0, b"one")]
    reader.close()
    writer.close()


@pytest.mark.parametrize("name", get_args(LogName))
def test_the_error_of_a_damaged_log_names_its_repair(folder: DataFolder, name: LogName) -> None:
    log = create_log(folder, "shop", name)
    log.append(b"x" * 100)
    log.append(b"y" * 100)
    log.close()
    (segment,) = folder.log("shop", name).glob("*.log")
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 4] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(DataLoss) as caught:
        create_log(folder, "shop", name)
    assert caught.value.message.endswith(REPAIRS[name])
