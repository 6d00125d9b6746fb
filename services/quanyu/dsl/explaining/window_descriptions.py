"""The windows of a clause as instants, each said once: where it stands, or in a list of what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.explaining.templates import TEMPLATES
from quanyu.dsl.formatting.formatter import Language
from quanyu.dsl.planning.compiler import ResolvedWindow

_HOUR_MS = 3_600_000


class WindowDescriptions:
    def __init__(self, windows: Sequence[ResolvedWindow], clock: Clock, language: Language) -> None:
        self._left = list(windows)
        self._clock, self._phrases = clock, TEMPLATES[language]

    def of(self, text: str) -> str:
        """`from A to B (zone)` of the clause's own window of that canonical text; empty if it has none."""
        own = [window for window in self._left if window.text == text]
        if not own:
            return ""
        # The same words may also stand in a segment asked of the past: the clause's own are those that end last.
        latest = max(own, key=lambda window: (window.to_ms is None, window.to_ms or 0, window.from_ms or 0))
        self._left.remove(latest)
        return self._reach(latest)

    def left(self) -> Iterator[tuple[str, str]]:
        """The text and the instants of each that was not said: those of metrics, segments and aggregates."""
        for window in self._left:
            yield window.text, self._reach(window)

    def _reach(self, window: ResolvedWindow) -> str:
        clock, start, end = self._clock, window.from_ms, window.to_ms
        said = {"start": self.instant(start), "end": self.instant(end), "zone": clock.zone}
        if start is None or end is None:
            return self._phrases["reach_before" if start is None else "reach_since"].format(**said)
        if start == end and window.text.startswith("was in segment"):
            return self._phrases["reach_at"].format(**said)
        first, last = clock.day_of(start), clock.day_of(end - 1)
        is_elapsed = re.search(r"\d(min|h|d|w)\b", window.text)
        if not is_elapsed and clock.day_start_ms(first) == start and clock.day_of(end) != last:
            return self._phrases["reach_days"].format(**said, first=first, last=last)
        hours, rest = divmod(end - start, _HOUR_MS)
        if rest == 0 and end == clock.as_of_ms:  # what tells 30d from a calendar month
            return self._phrases["reach_hours"].format(**said, hours=hours)
        return self._phrases["reach"].format(**said)

    def instant(self, ms: int | None) -> str:
        """Of the zone's wall clock, without what is nought of seconds."""
        if ms is None:
            return ""
        text = self._clock.local_time(ms).replace(tzinfo=None).isoformat(" ", "milliseconds")
        return text.removesuffix(".000").removesuffix(":00")
