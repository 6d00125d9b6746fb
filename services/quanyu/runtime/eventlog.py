"""The logs of a workspace. `raw` and `rejects` are written by ingestion, `resolved` by identity; anybody may follow."""

from __future__ import annotations

from typing import Literal

from quanyu.engine import LocalLog
from quanyu.runtime.folder import DataFolder

LogName = Literal["raw", "resolved", "rejects"]


def create_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """For its one writer: made if missing. LockedError if another process writes it."""
    return LocalLog.create(str(folder.log(workspace, name)))


def follow_log(folder: DataFolder, workspace: str, name: LogName) -> LocalLog:
    """For readers, also before there is one."""
    return LocalLog.follow(str(folder.log(workspace, name)))
