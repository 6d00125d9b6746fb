"""A raw log that lost frames is not written to."""

from pathlib import Path

import pytest

from quanyu.engine import LocalLog
from quanyu.ingestion.domain import check_complete
from quanyu.runtime.errors import DataLoss


def test_fewer_frames_than_identity_has_seen_are_damage(tmp_path: Path) -> None:
    raw, resolved = (LocalLog.create(str(tmp_path / name)) for name in ("raw", "resolved"))
    check_complete(tmp_path / "raw", raw, resolved)
    resolved.append(b"frame")
    with pytest.raises(DataLoss, match="raw: damaged: it has 0 frames, but 1 had been acknowledged; put a backup"):
        check_complete(tmp_path / "raw", raw, resolved)
    raw.append(b"frame")
    check_complete(tmp_path / "raw", raw, resolved)
