"""The waterfall equals plain set operations."""

from hypothesis import given
from hypothesis import strategies as st

from quanyu.delivery.domain import STEPS
from quanyu.delivery.plan import Policies, Waterfall, waterfall
from quanyu.engine import roaring_from_ids, roaring_ids

people = st.frozensets(
    st.builds(lambda partition, ordinal: partition << 32 | ordinal, st.integers(0, 2), st.integers(1, 40)), max_size=60
)


def encoded(persons: frozenset[int]) -> bytes:
    return roaring_from_ids(sorted(persons))


def decoded(persons: bytes) -> frozenset[int]:
    return frozenset(roaring_ids(persons, 0, 10**6))


def planned(
    audience: frozenset[int],
    reachable: frozenset[int],
    consented: frozenset[int] | None,
    suppressed: frozenset[int],
    capped: frozenset[int],
    holdout: int,
    salt: str = "salt",
) -> Waterfall:
    consent = None if consented is None else encoded(consented)
    policies = Policies(encoded(reachable), consent, encoded(suppressed), encoded(capped), salt, holdout)
    return waterfall(encoded(audience), policies)


@given(people, people, st.none() | people, people, people, st.integers(0, 9999))
def test_each_step_removes_the_people_whom_it_stops(
    audience: frozenset[int],
    reachable: frozenset[int],
    consented: frozenset[int] | None,
    suppressed: frozenset[int],
    capped: frozenset[int],
    holdout: int,
) -> None:
    answer = planned(audience, reachable, consented, suppressed, capped, holdout)
    names, counts, removed = zip(*answer.steps, strict=True)
    left = [audience, audience & reachable]
    left.append(left[-1] if consented is None else left[-1] & consented)
    left.append(left[-1] - suppressed)
    left.append(left[-1] - capped)
    left.append(decoded(answer.eligible))
    assert names == ("audience", *STEPS)
    assert counts == tuple(map(len, left))
    for before, after, stopped in zip(left[:-1], left[1:], removed[1:], strict=True):
        assert before - decoded(stopped) == after
    assert left[-1] <= left[-2]


@given(people, st.integers(0, 9999), st.integers(0, 9999))
def test_a_larger_holdout_holds_out_the_same_people_and_more(audience: frozenset[int], a: int, b: int) -> None:
    low, high = sorted((a, b))
    nobody: frozenset[int] = frozenset()
    more = decoded(planned(audience, audience, None, nobody, nobody, low).eligible)
    fewer = decoded(planned(audience, audience, None, nobody, nobody, high).eligible)
    assert fewer <= more


def test_a_holdout_has_its_share_and_is_stable_and_differs_by_salt() -> None:
    audience = frozenset(range(1, 20_001))
    nobody: frozenset[int] = frozenset()
    first = decoded(planned(audience, audience, None, nobody, nobody, 1000).eligible)
    assert first == decoded(planned(audience, audience, None, nobody, nobody, 1000).eligible)
    # Six standard deviations of a binomial share of 10%.
    assert abs(len(audience - first) - 2000) < 6 * (20_000 * 0.1 * 0.9) ** 0.5
    other = decoded(planned(audience, audience, None, nobody, nobody, 1000, salt="other").eligible)
    both = len((audience - first) & (audience - other))
    assert abs(both - 200) < 6 * (20_000 * 0.01 * 0.99) ** 0.5
    # The holdout of a person does not depend on the rest of the audience.
    half = frozenset(range(1, 10_001))
    assert decoded(planned(half, half, None, nobody, nobody, 1000).eligible) == first & half
