"""Generated events are sorted, in the half year before the as-of, and in channels where their customer is known."""

from __future__ import annotations

import numpy as np
import pytest

from quanyu.cli.demo.catering.events import CHANNELS, DAYS, DISHES, TYPES, generate_events
from quanyu.cli.demo.catering.people import SHOPS, generate_people

END_MS = 1_772_294_400_000
PEOPLE = generate_people(2_000, np.random.default_rng(1))
EVENTS = generate_events(PEOPLE, END_MS, np.random.default_rng(2))


def test_events_are_sorted_and_before_the_end() -> None:
    assert (np.diff(EVENTS.at) >= 0).all()
    assert EVENTS.at[0] >= END_MS - DAYS * 86_400_000
    assert EVENTS.at[-1] < END_MS
    assert 4 * len(PEOPLE) < len(EVENTS) < 10 * len(PEOPLE)


@pytest.mark.parametrize(
    ("channel", "known"), [("pos", PEOPLE.card), ("delivery", PEOPLE.delivery), ("miniapp", PEOPLE.miniapp)]
)
def test_a_customer_has_events_only_where_known(channel: str, known: np.ndarray) -> None:
    assert known[EVENTS.of(channel).person].all()


def test_slips_are_scans_in_the_miniapp_by_people_who_scan_slips() -> None:
    slips = EVENTS.slip
    assert slips.any()
    assert (EVENTS.type[slips] == TYPES.index("scan")).all()
    assert (EVENTS.channel[slips] == CHANNELS.index("miniapp")).all()
    assert PEOPLE.slip_scanned[EVENTS.person[slips]].all()


def test_values_are_in_range() -> None:
    assert ((EVENTS.shop >= 0) & (EVENTS.shop < SHOPS)).all()
    assert ((EVENTS.dish >= 0) & (EVENTS.dish < DISHES)).all()
    assert (EVENTS.amount >= 300).all()


def test_slices_contain_all_events_in_order() -> None:
    slices = list(EVENTS.slices(1_000))
    assert [first for first, _ in slices] == list(range(0, len(EVENTS), 1_000))
    assert np.concatenate([part.at for _, part in slices]).tolist() == EVENTS.at.tolist()
