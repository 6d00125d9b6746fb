"""Draws random members of a set: the same ones each time, and mostly the same ones while the set changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from heapq import nsmallest

from quanyu.engine import Answer

# Sets of up to FEW members are read as a whole; larger ones are probed with random ids.
FEW = 20_000
PROBES = 1_000
ORDINAL_BITS = 32
_MASK = 2**64 - 1


def sample(answer: Answer, root: int, size: int) -> list[int]:
    """Returns `size` members of a root, or all if there are fewer; each is as likely as any other."""
    if size == 0:
        return []
    if answer.matched(root) <= FEW:
        return nsmallest(size, answer.page(root, 0, FEW), key=_scattered)
    found: dict[int, None] = {}
    for persons in _probes(answer, root):
        met = zip(persons, answer.contains(root, persons), strict=True)
        found |= {person: None for person, is_in in met if is_in}
        if len(found) >= size:
            return list(found)[:size]
    raise AssertionError("there is no end of probes")


def _probes(answer: Answer, root: int) -> Iterator[list[int]]:
    """Yields random ids, equally likely within the partitions that have members."""
    partitions, bits = _extent(answer, root)
    chance = random.Random(0)
    while True:
        drawn = [chance.getrandbits(ORDINAL_BITS) for _ in range(2 * PROBES)]
        pairs = zip(drawn[::2], drawn[1::2], strict=True)
        yield [partitions[at % len(partitions)] << ORDINAL_BITS | row & (2**bits - 1) for at, row in pairs]


def _extent(answer: Answer, root: int) -> tuple[list[int], int]:
    """Returns the partitions that have members, and how many bits their ordinals take at most."""
    partitions: list[int] = []
    bits = 0
    person = next(iter(answer.page(root, 0, 1)), None)
    while person is not None:
        partition = person >> ORDINAL_BITS
        partitions.append(partition)
        while _has_beyond(answer, root, partition, bits):
            bits += 1
        person = next(iter(answer.page(root, (partition + 1 << ORDINAL_BITS) - 1, 1)), None)
    return partitions, bits


def _has_beyond(answer: Answer, root: int, partition: int, bits: int) -> bool:
    """Returns whether a member of the partition has an ordinal of more bits."""
    further = answer.page(root, (partition << ORDINAL_BITS) + 2**bits - 1, 1)
    return bool(further) and further[0] >> ORDINAL_BITS == partition


def _scattered(person: int) -> int:
    """Returns a sort key that is independent of the order of ids (the finisher of SplitMix64)."""
    x = person
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ x >> shift) * factor & _MASK
    return x ^ x >> 31
