"""Instants that move with the instant asked of, so that a rule is compiled once and stands for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Moving(int):
    """Milliseconds at a fixed distance from as-of: when as-of grows, so does this."""

    def __add__(self, ms: int) -> Moving:
        return Moving(int(self) + ms)

    def __sub__(self, other: int) -> int:
        """Between two of them lies always the same time."""
        difference = int(self) - int(other)
        return difference if isinstance(other, Moving) else Moving(difference)


@dataclass
class Standing:
    """For how many milliseconds from as-of on what was compiled stays right; None: always."""

    ms: int | None = None

    def limit(self, ms: int) -> None:
        """It stands for less than `ms`, and at the instant itself."""
        ms = max(int(ms), 1)
        self.ms = ms if self.ms is None else min(self.ms, ms)


def resolvable(node: Any, as_of_ms: int) -> Any:
    """The part of a plan with each moving instant as its distance from as-of (docs/plan.md)."""
    match node:
        case dict():
            return {name: resolvable(field, as_of_ms) for name, field in node.items()}
        case list():
            return [resolvable(item, as_of_ms) for item in node]
        case Moving():
            return {"ago": as_of_ms - int(node)}
    return node
