"""The logs of a workspace: each has one writer and any number of readers.

Ingestion writes `raw` and `rejects`, identity writes `resolved`, tagging writes `membership`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from quanyu.engine import CorruptError, LocalLog
from quanyu.runtime.errors import DataLoss
from quanyu.runtime.storage.data_folder import DataFolder

LogName = Literal["raw", "resolved", "rejects", "membership"]
READ_BYTES = 4 * 2**20
# How to repair a damaged log: all but the raw log can be rebuilt.
REPAIRS: dict[LogName, str] = {
    "raw": "put a backup of this log in its place",
    "resolved": "remove this log and state/identity of the workspace: both are rebuilt from the raw log",
    "rejects": "put a backup of this log in its place, or remove it: it holds only dead letters, no accepted records",
    "membership": "remove this log and state/membership of the workspace: followers begin again with all members",
}


def create_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """Opens a log for its only writer, and creates it if it is missing.

    Raises LockedError if another process writes it, and DataLoss if it is damaged.
    """
    try:
        return LocalLog.create(str(folder.log(workspace, name)))
    except CorruptError as error:
        raise DataLoss(f"{error}; {REPAIRS[name]}") from error


def follow_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """Opens a log for reading, even before it exists."""
    return LocalLog.follow(str(folder.log(workspace, name)))


def read_frames(log: LocalLog, offset: int) -> Iterator[tuple[int, bytes]]:
    """Yields the (offset, frame) pairs from `offset` to the present end of the log."""
    end = log.end()
    while offset < end:
        for at, frame in log.read(offset, READ_BYTES):
            yield at, frame
            offset = at + 1
