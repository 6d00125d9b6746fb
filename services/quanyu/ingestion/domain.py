"""Checks schemas and logs beyond the form of the messages."""

from __future__ import annotations

import difflib
import zoneinfo
from pathlib import Path

from quanyu.api.event.v1 import event_pb2
from quanyu.engine import LocalLog
from quanyu.runtime.errors import DataLoss, InvalidInput
from quanyu.runtime.storage.event_log import REPAIRS


def check_zone(schema: event_pb2.Schema) -> None:
    """Raises InvalidInput if the settings name an unknown time zone."""
    zone = schema.settings.timezone
    known = zoneinfo.available_timezones()
    if not schema.HasField("settings") or zone in known:
        return
    near = difflib.get_close_matches(zone, known, n=1) or ["Asia/Shanghai"]
    raise InvalidInput(
        f"settings.timezone: {zone!r} is not an IANA time zone; give one such as {near[0]}",
        reason="UNKNOWN_TIMEZONE",
        field="settings.timezone",
    )


def check_complete(folder: Path, raw: LocalLog, resolved: LocalLog) -> None:
    """Raises DataLoss if the raw log lacks frames that identity has folded: new frames would take their offsets."""
    if resolved.end() > raw.end():
        raise DataLoss(
            f"{folder}: damaged: it has {raw.end()} frames, but {resolved.end()} were acknowledged; {REPAIRS['raw']}"
        )
