"""Generates the customers of a catering brand: their identifiers in each place, and the links between these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.signedinteger[Any]]

SHOPS = 120
# Tablets on which shop staff open the mini-program for guests: these devices do not identify a person.
SHARED_DEVICES = 300


@dataclass(frozen=True, slots=True)
class People:
    """Columns with one entry for each customer. A customer without a link between two places counts as two people."""

    card: Flags
    miniapp: Flags
    delivery: Flags
    # The till knows the phone number of the card holder; the mini-program knows that of its user.
    phone_at_till: Flags
    phone_in_miniapp: Flags
    # The card is bound in the mini-program; a slip in the delivery bag was scanned with it.
    card_in_miniapp: Flags
    slip_scanned: Flags
    home_shop: Whole
    device: Whole

    def __len__(self) -> int:
        return len(self.card)


def generate_people(count: int, random: np.random.Generator) -> People:
    card, delivery = random.random(count) < 0.45, random.random(count) < 0.38
    # Each customer is known in at least one place.
    miniapp = (random.random(count) < 0.62) | ~(card | delivery)
    shared = random.random(count) < 0.03
    own = np.arange(count) + SHARED_DEVICES
    return People(
        card=card,
        miniapp=miniapp,
        delivery=delivery,
        phone_at_till=card & (random.random(count) < 0.75),
        phone_in_miniapp=miniapp & (random.random(count) < 0.55),
        card_in_miniapp=card & miniapp & (random.random(count) < 0.30),
        slip_scanned=delivery & miniapp & (random.random(count) < 0.35),
        home_shop=(random.beta(1.2, 3.0, count) * SHOPS).astype(np.int32),
        device=np.where(shared, random.integers(0, SHARED_DEVICES, count), own),
    )


def cards(person: Whole, known: Flags | None = None) -> pa.Array:
    return _scramble("M", person, 7_919, 8, known)


def phones(person: Whole, known: Flags | None = None) -> pa.Array:
    return _scramble("+8613", person, 104_729, 9, known)


def unionids(person: Whole, known: Flags | None = None) -> pa.Array:
    return _scramble("ou", person, 1_299_709, 12, known)


def openids(person: Whole, known: Flags | None = None) -> pa.Array:
    return _scramble("oa", person, 15_485_863, 12, known)


def delivery_ids(person: Whole, known: Flags | None = None) -> pa.Array:
    return _scramble("", person, 32_452_843, 10, known)


def devices(device: Whole) -> pa.Array:
    return _scramble("d", device, 49_979_687, 10, None)


def shops(shop: Whole, known: Flags | None = None) -> pa.Array:
    return numbered("S", shop, 3, known)


def numbered(prefix: str, number: Whole, digits: int, known: Flags | None = None) -> pa.Array:
    """Returns the prefix and the zero-padded number; null where not known."""
    text = pc.utf8_lpad(pa.array(number).cast(pa.string()), digits, "0")
    text = pc.binary_join_element_wise(pa.scalar(prefix), text, "")
    return text if known is None else pc.if_else(pa.array(known), text, pa.scalar(None, pa.string()))


def _scramble(prefix: str, number: Whole, factor: int, digits: int, known: Flags | None) -> pa.Array:
    """Returns identifiers that do not look sequential. `factor` is coprime to 10, so they stay distinct."""
    return numbered(prefix, (number.astype(np.int64) * factor + 12_345) % 10**digits, digits, known)
