"""Generates the events of the customers in half a year."""

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
# The relative frequency of events in each local hour: most at lunch and dinner, few at breakfast and late at night.
_HOURS = np.array([1, 0, 0, 0, 0, 1, 4, 8, 7, 4, 6, 16, 20, 12, 6, 5, 5, 10, 18, 14, 8, 5, 3, 2])

CHANNELS = ("pos", "miniapp", "delivery", "web")
TYPES = ("order", "browse", "scan", "pickup", "refund", "redeem")
# The share of each of TYPES in each of CHANNELS, in percent.
_MIX = np.array(
    [
        [80, 0, 7, 5, 3, 5],
        [25, 55, 8, 8, 0, 4],
        [94, 0, 0, 0, 6, 0],
        [0, 100, 0, 0, 0, 0],
    ]
)


@dataclass(frozen=True, slots=True)
class GeneratedEvents:
    """Columns with one entry for each event, in order of time."""

    person: Whole
    # Milliseconds since 1970-01-01 UTC.
    at: Whole
    channel: Whole
    type: Whole
    shop: Whole
    dish: Whole
    # In fen (0.01 CNY).
    amount: Whole
    # True for a scan of the slip in a delivery bag: the only event that shows both identifiers.
    slip: Flags

    def __len__(self) -> int:
        return len(self.at)

    def of(self, *channels: str) -> GeneratedEvents:
        """Returns the events of these channels."""
        return self._select(np.isin(self.channel, [CHANNELS.index(name) for name in channels]))

    def slices(self, rows: int) -> Iterator[tuple[int, GeneratedEvents]]:
        """Yields slices of up to `rows` events with the number of their first event."""
        for first in range(0, max(len(self), 1), rows):
            yield first, self._select(slice(first, first + rows))

    def _select(self, rows: Flags | slice) -> GeneratedEvents:
        return GeneratedEvents(*(getattr(self, name)[rows] for name in self.__slots__))


def generate_events(people: People, end_ms: int, random: np.random.Generator) -> GeneratedEvents:
    """Generates events of the `DAYS` before `end_ms`, about seven for each person."""
    person = np.repeat(np.arange(len(people), dtype=np.int32), _event_counts(len(people), random))
    at = _event_times(person, len(people), end_ms, random)
    order = np.argsort(at, kind="stable")
    person, at = person[order], at[order]
    channel = _channels(people, person, random)
    kind = (random.random(len(person), np.float32)[:, None] * 100 >= _cumulative_shares(_MIX)[channel]).sum(
        axis=1, dtype=np.int8
    )
    count = len(person)
    elsewhere = (random.random(count, np.float32) < 0.2) & (channel != CHANNELS.index("delivery"))
    scan = (channel == CHANNELS.index("miniapp")) & (kind == TYPES.index("scan"))
    return GeneratedEvents(
        person=person,
        at=at,
        channel=channel,
        type=kind,
        shop=np.where(elsewhere, random.integers(0, SHOPS, count, np.int32), people.home_shop[person]),
        # Each person has a favourite dish, and sometimes chooses one near it.
        dish=((person + random.geometric(0.25, count)) % DISHES).astype(np.int32),
        amount=(np.exp(random.standard_normal(count, np.float32) * 0.55 + 7.9) + 300).astype(np.int32),
        slip=scan & people.slip_scanned[person],
    )


def _event_counts(count: int, random: np.random.Generator) -> Whole:
    return random.poisson(random.gamma(1.6, 4.4, count))


def _event_times(person: Whole, count: int, end_ms: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Returns event times. Each customer starts at a random time; half of them stop at a later time."""
    begin = random.random(count) ** 2 * 0.9
    stays = random.random(count) < 0.5
    end = np.where(stays, 1.0, begin + random.random(count) * (1.0 - begin))
    share = begin[person] + random.random(len(person)) * (end - begin)[person]
    day = np.minimum((share * DAYS).astype(np.int64), DAYS - 1)
    hour = np.searchsorted(_HOURS.cumsum(), random.random(len(person)) * _HOURS.sum(), side="right")
    # The as-of is a local midnight, so days and hours counted from it are local.
    at: npt.NDArray[np.int64]
    at = end_ms - (DAYS - day) * _DAY_MS + hour * 3_600_000 + random.integers(0, 3_600_000, len(person))
    return at


def _channels(people: People, person: Whole, random: np.random.Generator) -> Whole:
    """Returns for each event one of the channels in which its customer is known."""
    weight = np.stack([people.card * 20, people.miniapp * 24, people.delivery * 18, people.miniapp * 3], axis=1)
    upper = _cumulative_shares(weight)
    drawn = random.random(len(person), np.float32) * weight.sum(axis=1, dtype=np.float32)[person]
    return sum((drawn >= upper[person, k] for k in range(upper.shape[1])), np.zeros(len(person), np.int8))


def _cumulative_shares(weight: Whole) -> npt.NDArray[np.int8]:
    """Returns the cumulative weight of each choice except the last. The weights of a row sum to at most 100."""
    return weight.cumsum(axis=1)[:, :-1].astype(np.int8)
