"""What must hold beyond the form of what is sent: of a declaration, and of the logs it goes to."""

from __future__ import annotations

import difflib
import zoneinfo
from pathlib import Path

from quanyu.api.event.v1 import event_pb2
from quanyu.engine import LocalLog
from quanyu.runtime.errors import DataLoss, InvalidInput
from quanyu.runtime.storage.event_log import REPAIRS


def check_zone(schema: event_pb2.Schema) -> None:
    """InvalidInput where the settings name a time zone that is none, so that no rule is ever read in it."""
    zone = schema.settings.timezone
    known = zoneinfo.available_timezones()
    if not schema.HasField("settings") or zone in known:
        return
    near = difflib.get_close_matches(zone, known, n=1) or ["Asia/Shanghai"]
    raise InvalidInput(
        f"settings.timezone: {zone!r} is no IANA time zone; write one such as {near[0]}",
        reason="UNKNOWN_TIMEZONE",
        field="settings.timezone",
    )


def check_complete(folder: Path, raw: LocalLog, resolved: LocalLog) -> None:
    """DataLoss if frames are missing that identity has seen: what is appended now would take their offsets."""
    if resolved.end() > raw.end():
        raise DataLoss(
            f"{folder}: damaged: it has {raw.end()} frames, but {resolved.end()} had been acknowledged; "
            f"{REPAIRS['raw']}"
        )
