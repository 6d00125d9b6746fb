"""Lists the instants at which a root of a plan can change its verdict about a person by the passage of time alone.

An event, or an instant that an attribute holds, crosses the edge of a window; an elapsed time passes the duration that
it is compared with. While the root is valid, its verdict does not change at other instants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quanyu.engine import Dependencies


@dataclass(frozen=True)
class PersonInstants:
    """The instants of one person: of the events by type, and all others that matter.

    The others are the values of attributes and properties, the instant of the first record, and the last instants
    before attributes change.
    """

    events: Mapping[str, Sequence[int]]
    others: Sequence[int]


def change_instants(reads: Dependencies, known: PersonInstants, after: int, until: int) -> list[int]:
    """Returns the instants t, `after < t < until`, at which the verdict may differ from just before, ascending."""
    types = known.events if reads.channels else reads.event_types
    instants = {at for name in types for at in known.events.get(name, ())} | {*known.others}
    # An instant exactly on an edge is inside on one side and outside on the other: a duration is met at the instant and
    # passed a millisecond later, the edges of windows are passed.
    distances = {age + 1 for age in reads.ages_ms}
    distances |= {
        age + duration + beside for age in reads.ages_ms for duration in reads.durations_ms for beside in (0, 1)
    }
    return sorted({at + by for at in instants for by in distances if after < at + by < until})
