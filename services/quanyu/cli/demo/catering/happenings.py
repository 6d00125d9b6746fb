"""What the customers do in half a year: when, where, through which channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quanyu.cli.demo.catering.people import (
    SHOPS,
    Flags,
    People,
    Whole,
)

DAYS = 180
DISHES = 80
_DAY_MS = 86_400_000
# Lunch and dinner, seldom breakfast and late at night; of each hour of the local day.
_HOURS = np.array([1, 0, 0, 0, 0, 1, 4, 8, 7, 4, 6, 16, 20, 12, 6, 5, 5, 10, 18, 14, 8, 5, 3, 2])

CHANNELS = ("pos", "miniapp", "delivery", "web")
TYPES = ("order", "browse", "scan", "pickup", "refund", "redeem")
# How often each of TYPES happens in each of CHANNELS, of a hundred.
_MIX = np.array(
    [
        [80, 0, 7, 5, 3, 5],
        [25, 55, 8, 8, 0, 4],
        [94, 0, 0, 0, 6, 0],
        [0, 100, 0, 0, 0, 0],
    ]
)


@dataclass(frozen=True, slots=True)
class Happenings:
    """One entry per event, in order of time."""

    person: Whole
    # Milliseconds since 1970.
    at: Whole
    channel: Whole
    type: Whole
    shop: Whole
    dish: Whole
    # In fen.
    amount: Whole
    # A scan of the slip in a delivery bag: the one event in which both identifiers are seen.
    slip: Flags

    def __len__(self) -> int:
        return len(self.at)

    def of(self, *channels: str) -> Happenings:
        """Only what came through these channels."""
        return self._taking(np.isin(self.channel, [CHANNELS.index(name) for name in channels]))

    def slices(self, rows: int) -> Iterator[tuple[int, Happenings]]:
        """(number of its first event, so many events) after another."""
        for first in range(0, max(len(self), 1), rows):
            yield first, self._taking(slice(first, first + rows))

    def _taking(self, rows: Flags | slice) -> Happenings:
        return Happenings(*(getattr(self, name)[rows] for name in self.__slots__))


def make_happenings(people: People, end_ms: int, random: np.random.Generator) -> Happenings:
    """Events of the `DAYS` before `end_ms`, about seven a person."""
    person = np.repeat(np.arange(len(people), dtype=np.int32), _how_many(len(people), random))
    at = _times(person, len(people), end_ms, random)
    order = np.argsort(at, kind="stable")
    person, at = person[order], at[order]
    channel = _channels(people, person, random)
    kind = (random.random(len(person), np.float32)[:, None] * 100 >= _cumulated(_MIX)[channel]).sum(
        axis=1, dtype=np.int8
    )
    count = len(person)
    elsewhere = (random.random(count, np.float32) < 0.2) & (channel != CHANNELS.index("delivery"))
    scan = (channel == CHANNELS.index("miniapp")) & (kind == TYPES.index("scan"))
    return Happenings(
        person=person,
        at=at,
        channel=channel,
        type=kind,
        shop=np.where(elsewhere, random.integers(0, SHOPS, count, np.int32), people.home_shop[person]),
        # Everyone has a favourite, and strays from it.
        dish=((person + random.geometric(0.25, count)) % DISHES).astype(np.int32),
        amount=(np.exp(random.standard_normal(count, np.float32) * 0.55 + 7.9) + 300).astype(np.int32),
        slip=scan & people.slip_scanned[person],
    )


def _how_many(count: int, random: np.random.Generator) -> Whole:
    return random.poisson(random.gamma(1.6, 4.4, count))


def _times(person: Whole, count: int, end_ms: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Each customer comes at some time, and half of them stop coming at some later one."""
    begin = random.random(count) ** 2 * 0.9
    stays = random.random(count) < 0.5
    end = np.where(stays, 1.0, begin + random.random(count) * (1.0 - begin))
    share = begin[person] + random.random(len(person)) * (end - begin)[person]
    day = np.minimum((share * DAYS).astype(np.int64), DAYS - 1)
    hour = np.searchsorted(_HOURS.cumsum(), random.random(len(person)) * _HOURS.sum(), side="right")
    # As-of is a local midnight, so whole days and hours before it are local ones.
    at: npt.NDArray[np.int64]
    at = end_ms - (DAYS - day) * _DAY_MS + hour * 3_600_000 + random.integers(0, 3_600_000, len(person))
    return at


def _channels(people: People, person: Whole, random: np.random.Generator) -> Whole:
    """One of CHANNELS for each event, of those in which its customer is known."""
    weight = np.stack([people.card * 20, people.miniapp * 24, people.delivery * 18, people.miniapp * 3], axis=1)
    upper = _cumulated(weight)
    drawn = random.random(len(person), np.float32) * weight.sum(axis=1, dtype=np.float32)[person]
    return sum((drawn >= upper[person, k] for k in range(upper.shape[1])), np.zeros(len(person), np.int8))


def _cumulated(weight: Whole) -> npt.NDArray[np.int8]:
    """Where each choice ends, but for the last, which takes the rest. Weights of a row are 100 together at most."""
    return weight.cumsum(axis=1)[:, :-1].astype(np.int8)
