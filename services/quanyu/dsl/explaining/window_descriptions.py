"""Describes the windows of a clause as instants, each window once."""

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
        """Returns `from A to B (zone)` for the clause's own window with this canonical text, or an empty text."""
        own = [window for window in self._left if window.text == text]
        if not own:
            return ""
        # A segment at a past instant may contain the same window: the clause's own window ends last.
        latest = max(own, key=lambda window: (window.to_ms is None, window.to_ms or 0, window.from_ms or 0))
        self._left.remove(latest)
        return self._instants(latest)

    def left(self) -> Iterator[tuple[str, str]]:
        """Yields the text and instants of each window not described yet: those of metrics, segments and aggregates."""
        for window in self._left:
            yield window.text, self._instants(window)

    def _instants(self, window: ResolvedWindow) -> str:
        clock, start, end = self._clock, window.from_ms, window.to_ms
        fields = {"start": self.instant(start), "end": self.instant(end), "zone": clock.zone}
        if start is None or end is None:
            return self._phrases["instants_before" if start is None else "instants_since"].format(**fields)
        if start == end and window.text.startswith("was in segment"):
            return self._phrases["instants_at"].format(**fields)
        first, last = clock.day_of(start), clock.day_of(end - 1)
        is_elapsed = re.search(r"\d(min|h|d|w)\b", window.text)
        if not is_elapsed and clock.day_start_ms(first) == start and clock.day_of(end) != last:
            return self._phrases["instants_days"].format(**fields, first=first, last=last)
        hours, rest = divmod(end - start, _HOUR_MS)
        if rest == 0 and end == clock.as_of_ms:  # distinguishes 30d from a calendar month
            return self._phrases["instants_hours"].format(**fields, hours=hours)
        return self._phrases["instants"].format(**fields)

    def instant(self, ms: int | None) -> str:
        """Returns the local time, without seconds or milliseconds that are zero."""
        if ms is None:
            return ""
        text = self._clock.local_time(ms).replace(tzinfo=None).isoformat(" ", "milliseconds")
        return text.removesuffix(".000").removesuffix(":00")
