"""The logs of a workspace; anybody may follow.

`raw` and `rejects` are written by ingestion, `resolved` by identity, `membership` by tagging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from quanyu.engine import CorruptError, LocalLog
from quanyu.runtime.errors import DataLoss
from quanyu.runtime.storage.data_folder import DataFolder

LogName = Literal["raw", "resolved", "rejects", "membership"]
READ_BYTES = 4 * 2**20
# Only the raw log cannot be made anew.
REPAIRS: dict[LogName, str] = {
    "raw": "put a backup of this log in its place",
    "resolved": "remove this log and state/identity of the workspace: both are made anew from the raw log",
    "rejects": "put a backup of this log in its place, or remove it: it holds dead letters, nothing that was accepted",
    "membership": "remove this log and state/membership of the workspace: who follows it begins again with all members",
}


def create_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """For its one writer: made if missing. LockedError if another process writes it, DataLoss if it is damaged."""
    try:
        return LocalLog.create(str(folder.log(workspace, name)))
    except CorruptError as error:
        raise DataLoss(f"{error}; {REPAIRS[name]}") from error


def follow_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """For readers, also before there is one."""
    return LocalLog.follow(str(folder.log(workspace, name)))


def read_frames(log: LocalLog, offset: int) -> Iterator[tuple[int, bytes]]:
    """The (offset, frame) pairs that are in the log now, from `offset` on."""
    end = log.end()
    while offset < end:
        for at, frame in log.read(offset, READ_BYTES):
            yield at, frame
            offset = at + 1
