"""Samples: random members, always the same ones, and mostly the same ones of a smaller set."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.tagging.preview import sampling
from quanyu.tagging.preview.sampling import FEW, sample
from tests.seed import examples


class OneRoot:
    """An answer with one root."""

    def __init__(self, persons: set[int]) -> None:
        self._sorted = sorted(persons)
        self._persons = persons

    def matched(self, _root: int) -> int:
        return len(self._sorted)

    def page(self, _root: int, after: int, limit: int) -> list[int]:
        first = bisect_right(self._sorted, after)
        return self._sorted[first : first + limit]

    def contains(self, _root: int, persons: list[int]) -> list[bool]:
        return [person in self._persons for person in persons]


def sampled(persons: set[int], size: int) -> list[int]:
    return sample(OneRoot(persons), 0, size)  # type: ignore[arg-type]


def partitioned(rows: range, *partitions: int) -> set[int]:
    return {partition << 32 | row for partition in partitions for row in rows}


SMALL = partitioned(range(300), 1, 2, 9)
LARGE = partitioned(range(FEW), 1, 2, 9)


@pytest.mark.parametrize("persons", [SMALL, LARGE])
def test_a_sample_has_members_and_is_always_the_same(persons: set[int]) -> None:
    found = sampled(persons, 50)
    assert len(set(found)) == 50
    assert set(found) <= persons
    assert sampled(persons, 50) == found
    assert sampled(persons, 10) == found[:10]
    assert sampled(persons, 0) == []
    assert set(found) != set(sorted(persons)[:50])


def test_a_small_set_is_sampled_completely() -> None:
    assert set(sampled(partitioned(range(5), 3), 50)) == partitioned(range(5), 3)
    assert sampled(set(), 50) == []


@pytest.mark.parametrize("persons", [SMALL, LARGE])
def test_people_who_stay_in_a_smaller_set_stay_in_the_sample(persons: set[int]) -> None:
    smaller = {person for person in persons if person % 5}
    kept = [person for person in sampled(persons, 50) if person in smaller]
    assert sampled(smaller, 50)[: len(kept)] == kept


@pytest.mark.parametrize("persons", [SMALL, LARGE])
def test_all_members_are_equally_likely(persons: set[int]) -> None:
    """The tenths of the rows, and the partitions, have about equal numbers of sampled people."""
    found = sampled(persons, 600)
    rows = max(person & 0xFFFFFFFF for person in persons) + 1
    for parts in (
        Counter((person & 0xFFFFFFFF) * 10 // rows for person in found),
        Counter(person >> 32 for person in found),
    ):
        even = len(found) / len(parts)
        # Six standard deviations; the sample is the same in every run.
        assert all(abs(count - even) < 6 * even**0.5 for count in parts.values())


@examples(60)
@given(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 2**22 - 1)), min_size=1, max_size=60), st.integers(1, 70))
def test_members_with_any_ids_are_sampled(places: set[tuple[int, int]], size: int) -> None:
    persons = {partition << 32 | row for partition, row in places}
    assert set(sampled(persons, size)) <= persons
    assert len(sampled(persons, size)) == min(size, len(persons))


def test_probes_find_members_with_distant_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "FEW", 0)
    persons = {1 << 32, 1 << 32 | 1023, 7 << 32 | 5}
    assert set(sampled(persons, 3)) == persons
