"""How far an import got, kept in `<file>.quanyu-progress` beside the file while it runs."""

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
    """Rows acknowledged of one file, mapping and workspace. Losing it only costs sending rows again."""

    path: Path
    fingerprint: str
    rows: int = 0
    _written: float = field(default=0.0, init=False)

    @classmethod
    def of(cls, file: Path, mapping: Mapping, workspace: str) -> Progress:
        """What an earlier, broken-off import left; row 0 if there was none, or file or mapping have changed since."""
        progress = cls(file.with_name(file.name + SUFFIX), _fingerprint(file, mapping, workspace))
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(progress.path.read_text())
            if kept["fingerprint"] == progress.fingerprint:
                progress.rows = max(int(kept["rows"]), 0)
        return progress

    def reached(self, rows: int) -> None:
        """Remembers that the first `rows` rows are durable; on disk after a second at most."""
        self.rows = rows
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        temporary = self.path.with_name(self.path.name + "~")
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps({"fingerprint": self.fingerprint, "rows": self.rows}))
            temporary.replace(self.path)

    def forget(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def _fingerprint(file: Path, mapping: Mapping, workspace: str) -> str:
    status = file.stat()
    identity = f"{status.st_size} {status.st_mtime_ns} {workspace} ".encode() + mapping.encoded()
    return hashlib.sha256(identity).hexdigest()
