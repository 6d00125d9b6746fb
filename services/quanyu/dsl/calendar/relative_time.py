"""Instants at a fixed distance from as-of, so that a rule that is compiled once stays valid for a while."""

from __future__ import annotations

from dataclasses import dataclass


class RelativeInstant(int):
    """An instant in milliseconds that moves along with as-of."""

    def __add__(self, ms: int) -> RelativeInstant:
        return RelativeInstant(int(self) + ms)

    def __sub__(self, other: int) -> int:
        """Returns a plain duration between two relative instants, since it is constant; else a relative result."""
        difference = int(self) - int(other)
        return difference if isinstance(other, RelativeInstant) else RelativeInstant(difference)


@dataclass
class Validity:
    """The number of milliseconds from as-of for which a compiled rule stays valid; None means always."""

    ms: int | None = None

    def limit(self, ms: int) -> None:
        """Limits the validity to less than `ms`; it always covers as-of itself."""
        ms = max(int(ms), 1)
        self.ms = ms if self.ms is None else min(self.ms, ms)
