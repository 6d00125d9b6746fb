"""Unknown time zones and incomplete logs are rejected."""

from pathlib import Path

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.engine import LocalLog
from quanyu.ingestion.domain import check_complete, check_zone
from quanyu.runtime.errors import DataLoss, InvalidInput


def test_an_unknown_zone_is_rejected_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput, match="Asia/Shanghai"):
        check_zone(event_pb2.Schema(settings=event_pb2.Settings(timezone="Asia/Shangai")))
    with pytest.raises(InvalidInput, match="not an IANA time zone"):
        check_zone(event_pb2.Schema(settings=event_pb2.Settings()))


def test_a_known_zone_and_a_schema_without_settings_pass() -> None:
    check_zone(event_pb2.Schema(settings=event_pb2.Settings(timezone="America/New_York")))
    check_zone(event_pb2.Schema())


def test_a_raw_log_with_fewer_frames_than_the_resolved_log_is_damaged(tmp_path: Path) -> None:
    raw, resolved = (LocalLog.create(str(tmp_path / name)) for name in ("raw", "resolved"))
    check_complete(tmp_path / "raw", raw, resolved)
    resolved.append(b"frame")
    with pytest.raises(DataLoss, match="raw: damaged: it has 0 frames, but 1 were acknowledged; put a backup"):
        check_complete(tmp_path / "raw", raw, resolved)
    raw.append(b"frame")
    check_complete(tmp_path / "raw", raw, resolved)
