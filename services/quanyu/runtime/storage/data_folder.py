"""The data folder: its version, its locks, and the paths of everything in it.

<data>/VERSION                             layout version; a folder of another version is refused
<data>/quanyu.db                           definitions, campaigns, ledger (unless QUANYU_DATABASE_URL is set)
<data>/locks/<service>                     held by the process that runs the service on this folder
<data>/<workspace>/log/{raw,resolved,rejects,membership}/0
<data>/<workspace>/state/<service>/        snapshots; rebuilt from the logs if missing
<data>/<workspace>/delivered/              files that file channels wrote
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quanyu.runtime.errors import DataLoss, FailedPrecondition, InvalidInput, ResourceExhausted

LAYOUT_VERSION = "1"
WORKSPACE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_NOT_WORKSPACES = frozenset({"locks", "lost+found"})


class DataFolder:
    """A data folder of this layout version, which may be read-only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "quanyu.db"
        self._held: list[int] = []

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Opens a folder for serving, and creates it if it is missing.

        Raises FailedPrecondition if it has another version, is not a data folder, or is not writable.
        """
        path = path.absolute()
        with _explained(path):
            path.mkdir(parents=True, exist_ok=True)
            _stamp_if_new(path)
        _check_version(path)
        with _explained(path):
            _try_writing(path)
        return cls(path)

    @classmethod
    def existing(cls, path: Path) -> DataFolder:
        """Opens a folder for reading; raises FailedPrecondition if it is missing or has another version."""
        path = path.absolute()
        _check_version(path)
        return cls(path)

    def lock(self, service: str) -> None:
        """Makes this the only process that runs `service` on this folder, until it ends or calls `unlock`."""
        with _explained(self.path):
            handle = os.open(self.path / "locks" / service, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise FailedPrecondition(
                f"another process already runs the {service} service on {self.path}; "
                "stop it, or choose another data folder with --data or QUANYU_DATA",
                reason="DATA_FOLDER_IN_USE",
            ) from None
        self._held.append(handle)

    @contextmanager
    def exclusively(self, what: str) -> Iterator[None]:
        """Runs the block while no other process runs a block named `what` on this folder."""
        handle = os.open(self.path / "locks" / what, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def unlock(self) -> None:
        for handle in self._held:
            os.close(handle)
        self._held.clear()

    def log(self, workspace: str, name: str) -> Path:
        """Returns the folder of log `name`: partition 0, the only partition of the embedded log."""
        return self.path / workspace / "log" / name / "0"

    def state(self, workspace: str, service: str) -> Path:
        """Returns the folder of a service's snapshots, and creates it if it is missing."""
        folder = self.path / workspace / "state" / service
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def delivered(self, workspace: str) -> Path:
        return self.path / workspace / "delivered"

    def database_url(self) -> str:
        return f"sqlite:///{self.database}"

    def check_database(self) -> None:
        """Raises DataLoss if the database file is gone: a new one would silently have no rules and campaigns."""
        if self.workspaces() and not (self.database.exists() and self.database.stat().st_size):
            raise DataLoss(
                f"{self.database} is missing or empty, although the folder has workspaces; put a backup in its place, "
                "or run `quanyu migrate` to begin again without rules and campaigns",
                reason="DATABASE_MISSING",
            )

    def workspaces(self) -> list[str]:
        """Returns the names of the workspaces that have received data."""
        with os.scandir(self.path) as entries:
            names = [entry.name for entry in entries if entry.is_dir() and WORKSPACE_NAME.fullmatch(entry.name)]
        return sorted(name for name in names if self.has_workspace(name))

    def has_workspace(self, workspace: str) -> bool:
        return workspace not in _NOT_WORKSPACES and self.log(workspace, "raw").is_dir()


def check_workspace_name(name: str) -> None:
    """Raises InvalidInput unless a workspace can have this name."""
    if not WORKSPACE_NAME.fullmatch(name) or name in _NOT_WORKSPACES:
        raise InvalidInput(
            f"workspace {name[:80]!r}: a name is a lower-case letter, then at most 62 of a-z, 0-9, _ and -",
            reason="INVALID_WORKSPACE",
            field="workspace",
        )


def _stamp_if_new(path: Path) -> None:
    """Writes VERSION into an empty folder."""
    if set(os.listdir(path)) <= _NOT_WORKSPACES:
        temporary = path / f".VERSION-{os.getpid()}"
        temporary.write_text(f"{LAYOUT_VERSION}\n")
        temporary.replace(path / "VERSION")


def _try_writing(path: Path) -> None:
    """Writes a file, so that an unwritable folder is an error at the start and not at the first event."""
    probe = path / "locks" / f"probe-{os.getpid()}"
    probe.parent.mkdir(exist_ok=True)
    probe.write_text("probe")
    probe.unlink()


def _check_version(path: Path) -> None:
    try:
        found = (path / "VERSION").read_text().strip()
    except FileNotFoundError:
        raise FailedPrecondition(
            f"{path} is not a Quanyu data folder (it has no VERSION file); choose an empty or new folder, or one that "
            "`quanyu serve` made",
            reason="NOT_A_DATA_FOLDER",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FailedPrecondition(
            f"{path / 'VERSION'}: cannot be read: {error}; "
            "put a backup of it in its place, or choose another data folder",
            reason="NOT_A_DATA_FOLDER",
        ) from error
    if found != LAYOUT_VERSION:
        raise FailedPrecondition(
            f"{path} has layout version {found[:20]!r}, this Quanyu reads {LAYOUT_VERSION!r}; "
            "use the Quanyu that made it, or another data folder",
            reason="DATA_FOLDER_VERSION",
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns an OSError about the data folder into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ResourceExhausted(f"{path}: the disk is full; free some space", reason="DISK_FULL") from error
        raise FailedPrecondition(
            f"{path}: cannot be written ({error.strerror}); choose another data folder or change its permissions",
            reason="DATA_FOLDER_UNWRITABLE",
        ) from error
