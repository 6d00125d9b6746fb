"""Keeps the progress of an import in `<file>.quanyu-progress`, beside the file, while it runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from quanyu.importer.mapping import Mapping

SUFFIX = ".quanyu-progress"
_SECONDS_BETWEEN_WRITES = 1.0


@dataclass(slots=True)
class Progress:
    """The acknowledged rows of one file, mapping and workspace; if it is lost, rows are only sent again."""

    path: Path
    fingerprint: str
    rows: int = 0
    _written: float = field(default=0.0, init=False)

    @classmethod
    def load(cls, file: Path, mapping: Mapping, workspace: str) -> Progress:
        """Reads the progress of an earlier import; row 0 without one, or if the file or the mapping has changed."""
        progress = cls(file.with_name(file.name + SUFFIX), _fingerprint(file, mapping, workspace))
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(progress.path.read_text())
            if kept["fingerprint"] == progress.fingerprint:
                progress.rows = max(int(kept["rows"]), 0)
        return progress

    def advance(self, rows: int) -> None:
        """Records that the first `rows` rows are durable; writes it to disk at most once a second."""
        self.rows = rows
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Replaces the file; does nothing if the folder cannot be written."""
        self._written = time.monotonic()
        temporary = self.path.with_name(self.path.name + "~")
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps({"fingerprint": self.fingerprint, "rows": self.rows}))
            temporary.replace(self.path)

    def remove(self) -> None:
        """Removes the file after a complete import."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def _fingerprint(file: Path, mapping: Mapping, workspace: str) -> str:
    status = file.stat()
    identity = f"{status.st_size} {status.st_mtime_ns} {workspace} ".encode() + mapping.encoded()
    return hashlib.sha256(identity).hexdigest()
