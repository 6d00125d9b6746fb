"""Assigns a kind of shopper to each person, which determines the types and channels of their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.integer[Any]]
Real = npt.NDArray[np.float64]

TYPES = ("browse", "order", "scan", "review", "refund")
CHANNELS = ("pos", "miniapp", "web", "app", "delivery")
STORES = 2_000

# Shares of people by habit: till, mini-program, delivery, web and app, and visitors who never buy.
_HABITS = np.array([0.35, 0.30, 0.15, 0.12, 0.08])
# Shares of TYPES among the events of a buyer and of a visitor.
_BUYER = [0.519, 0.271, 0.145, 0.043, 0.022]
_VISITOR = [0.90, 0.0, 0.10, 0.0, 0.0]
# Shares of CHANNELS by habit, for events of looking and of buying.
_LOOKS = [
    [0.0, 0.7, 0.2, 0.1, 0.0],
    [0.0, 0.9, 0.0, 0.1, 0.0],
    [0.0, 0.0, 0.0, 0.1, 0.9],
    [0.0, 0.0, 0.6, 0.4, 0.0],
    [0.0, 0.0, 0.8, 0.2, 0.0],
]
_BUYS = [
    [0.9, 0.1, 0.0, 0.0, 0.0],
    [0.2, 0.8, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0],
    [0.0, 0.0, 0.5, 0.5, 0.0],
    [1.0, 0.0, 0.0, 0.0, 0.0],
]
_LOOKING = ("browse", "review")


def _cumulative(shares: list[list[float]]) -> Real:
    return np.cumsum(np.array(shares), axis=-1)


# Cumulative shares of types by habit, and of channels by habit and type.
_TYPES_OF = _cumulative([_BUYER, _BUYER, _BUYER, _BUYER, _VISITOR])
_CHANNELS_OF = np.stack([_cumulative(_LOOKS if t in _LOOKING else _BUYS) for t in TYPES], axis=1)


@dataclass(frozen=True, slots=True)
class Habits:
    """The habits of all people; index n is the person with number n."""

    habit: npt.NDArray[np.uint8]
    home_store: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, people: int, seed: int) -> Habits:
        random = np.random.default_rng([seed, 0])
        return cls(
            habit=skewed(random, np.cumsum(_HABITS), people).astype(np.uint8),
            home_store=(random.random(people) ** 2 * STORES).astype(np.uint16),
        )

    def __len__(self) -> int:
        return len(self.habit)

    def types(self, person: Whole, random: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Draws the type of one event for each of these people, as indices of TYPES."""
        return _drawn(_TYPES_OF[self.habit[person]], random)

    def channels(self, person: Whole, kind: Whole, random: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Draws the channel of each event, as indices of CHANNELS."""
        return _drawn(_CHANNELS_OF[self.habit[person], kind], random)


def skewed(random: np.random.Generator, cumulative: Real, count: int) -> Whole:
    """Draws indices by their cumulative shares."""
    return np.minimum(np.searchsorted(cumulative, random.random(count), side="right"), len(cumulative) - 1)


def zipf(length: int, shift: float) -> Real:
    """Returns cumulative shares of ranks 0, 1, ..., which are proportional to 1 / (rank + shift)."""
    shares: Real = np.cumsum(1 / (np.arange(length) + shift))
    shares /= shares[-1]
    return shares


def _drawn(cumulative: Real, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Draws one index for each row of `cumulative`."""
    chosen: npt.NDArray[np.uint8] = (random.random(len(cumulative))[:, None] >= cumulative).sum(axis=1, dtype=np.uint8)
    return np.minimum(chosen, np.uint8(cumulative.shape[1] - 1))
