"""Opens workspaces at the start or when they are first used, and closes them at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from quanyu.engine import CoreError
from quanyu.runtime.background import BackgroundLoop, Pause
from quanyu.runtime.errors import DomainError, NotFound, ResourceExhausted, Unavailable, to_domain_error
from quanyu.runtime.storage.data_folder import DataFolder, check_workspace_name

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class OpenWorkspaces(Generic[T]):
    """The open workspaces of one service; `opening` opens one, and its errors reach the caller."""

    def __init__(self, folder: DataFolder, opening: Callable[[str], T]) -> None:
        self._folder = folder
        self._opening = opening
        self._open: dict[str, T] = {}
        self._guard = threading.Lock()
        self._damaged: set[str] = set()
        # The last logged error of each workspace that cannot be opened.
        self._failures: dict[str, str] = {}
        self._closed = False
        self._is_watching = False
        self._watcher = BackgroundLoop("looking for new workspaces", self._look, _log_failure)

    def get(self, workspace: str, *, create: bool = False) -> T:
        """Returns the open workspace, and opens it if necessary.

        Raises InvalidInput for an invalid name, and NotFound for a workspace that received no data, unless `create`.
        """
        found = self._open.get(workspace)
        if found is not None:
            return found
        check_workspace_name(workspace)
        if not create and not self._folder.has_workspace(workspace):
            raise NotFound(
                f"there is no workspace {workspace!r}; the first PutSchema or Ingest creates it",
                reason="UNKNOWN_WORKSPACE",
                workspace=workspace,
            )
        with self._guard:
            if self._closed:
                raise Unavailable("the service is stopping", reason="STOPPING")
            if workspace not in self._open:
                self._open[workspace] = self._opening(workspace)
            return self._open[workspace]

    def open_existing(self) -> None:
        """Opens every existing workspace; raises the first error, so that a damaged workspace prevents the start."""
        for workspace in self._folder.workspaces():
            self.get(workspace)

    def watch(self) -> None:
        """Starts to look for workspaces that other processes create, and opens them."""
        self._is_watching = True
        self._watcher.start()

    def close(self) -> None:
        """Closes all workspaces, after opening those created since the last look, so that their logs are folded too."""
        self._watcher.stop()
        if self._is_watching:
            self._open_new()
        with self._guard:
            self._closed = True
            for held in self._open.values():
                held.close()
            self._open.clear()

    def _look(self) -> Pause:
        self._open_new()
        return Pause.exactly(LOOK_SECONDS)

    def _open_new(self) -> None:
        for workspace in self._folder.workspaces():
            if workspace in self._open or workspace in self._damaged:
                continue
            try:
                self.get(workspace)
            except (CoreError, DomainError) as error:
                self._failed(workspace, to_domain_error(error) if isinstance(error, CoreError) else error)

    def _failed(self, workspace: str, error: DomainError) -> None:
        """Logs an error once; an error that may pass, such as a full disk, is tried again at the next look."""
        if not isinstance(error, ResourceExhausted | Unavailable):
            self._damaged.add(workspace)
        if self._failures.get(workspace) != error.message:
            self._failures[workspace] = error.message
            log.error("workspace %s cannot be opened: %s", workspace, error)


def _log_failure(name: str, error: BaseException) -> None:
    log.error("%s stopped: %s", name, error, exc_info=error)
