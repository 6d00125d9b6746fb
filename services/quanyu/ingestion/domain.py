"""What a declaration must satisfy beyond its own form."""

from __future__ import annotations

import difflib
import zoneinfo

from quanyu.api.event.v1 import event_pb2
from quanyu.runtime.errors import InvalidInput


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
