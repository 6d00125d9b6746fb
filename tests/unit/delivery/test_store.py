"""Channels, campaigns and plans are stored once; counts and outcomes come from the ledger."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from quanyu.delivery import store as store_module
from quanyu.delivery.domain import DAY_MS, MessageState, Outcome
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Channel
from quanyu.engine import roaring_from_ids, roaring_ids
from quanyu.runtime.errors import Conflict, FailedPrecondition, NotFound
from tests.unit.delivery.campaign_bench import KEYS, Bench, definition, people_of


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def channel(**fields: str) -> Channel:
    return Channel(**{"workspace": "w", "name": "letters", "kind": "csv", "namespace": "card", "config": {}} | fields)


def test_a_channel_keeps_its_kind_and_namespace(store: Store) -> None:
    store.put_channel(channel())
    store.put_channel(channel())
    for change in ({"kind": "webhook"}, {"namespace": "phone"}):
        with pytest.raises(Conflict, match="create another channel"):
            store.put_channel(channel(**change))
    assert store.channel("w", "letters").namespace == "card"
    with pytest.raises(NotFound, match="call PutChannel to create it"):
        store.channel("w", "mail")


def test_consents_and_suppressions_add_and_remove_people_and_count_revisions(store: Store) -> None:
    store.put_consents("w", "news", roaring_from_ids([1, 2, 3]), granted=True)
    store.put_consents("w", "news", roaring_from_ids([2]), granted=False)
    store.put_suppressions("w", roaring_from_ids([3]), suppressed=True)
    consent, suppression = store.policies("w", "news")
    assert (roaring_ids(consent.persons, 0, 9), consent.revision) == ([1, 3], 2)
    assert (roaring_ids(suppression.persons, 0, 9), suppression.revision) == ([3], 1)
    unknown, _ = store.policies("w", "other")
    assert (roaring_ids(unknown.persons, 0, 9), unknown.revision) == ([], 0)


def test_an_equal_campaign_can_be_created_again_and_a_different_one_conflicts(store: Store) -> None:
    store.create_campaign(definition())
    store.create_campaign(definition())
    with pytest.raises(Conflict, match="use another name"):
        store.create_campaign(definition("C"))
    assert store.campaign("w", "recall").state == "draft"


def test_a_campaign_must_be_planned_before_it_starts(store: Store) -> None:
    store.create_campaign(definition())
    with pytest.raises(FailedPrecondition, match="call PlanCampaign first"):
        store.start("w", "recall")
    with pytest.raises(FailedPrecondition, match="call PlanCampaign first"):
        store.outcome_of("w", "recall", 1)
    assert store.plan("w", "recall") is None
    assert store.counts("w", "recall") == {}


def test_the_outcome_of_a_person_is_the_message_state_or_not_in_audience(bench: Bench) -> None:
    bench.start_campaign([1, 2])
    assert bench.store.outcome_of("w", "recall", 1) == ("pending", "")
    lease = bench.claim_with_messages()
    bench.send(lease, {2: Outcome(MessageState.DEAD, "HTTP 404")})
    assert bench.store.outcome_of("w", "recall", 1) == ("accepted", "")
    assert bench.store.outcome_of("w", "recall", 2) == ("dead", "HTTP 404")
    assert bench.store.outcome_of("w", "recall", 3) == ("not_in_audience", "")


def test_only_accepted_messages_count_towards_caps(bench: Bench) -> None:
    bench.start_campaign([1, 2])
    lease = bench.claim_with_messages()
    bench.send(lease, {2: Outcome(MessageState.DEAD, "HTTP 404")})
    today = bench.clock.now // DAY_MS
    assert roaring_ids(bench.store.capped("w", "letters", today, 1), 0, 10) == [1]
    assert roaring_ids(bench.store.capped("w", "letters", today, 2), 0, 10) == []
    assert roaring_ids(bench.store.capped("w", "letters", today + 1, 1), 0, 10) == []
    assert roaring_ids(bench.store.capped("w", "mail", today, 1), 0, 10) == []


def test_start_splits_the_eligible_people_into_shards(bench: Bench) -> None:
    persons = sorted({(p % 3) << 32 | p + 1 for p in range(100)})
    with patch.object(store_module, "SHARD_PEOPLE", 7), patch.object(store_module, "_PAGE_PEOPLE", 21):
        bench.start_campaign(persons)
    seen: list[int] = []
    while (lease := bench.leases.claim()) and lease.people:
        seen += people_of(lease)
        assert len(people_of(lease)) == lease.people <= 7
        bench.ledger.create_messages(lease, dict.fromkeys(people_of(lease), "x"), [], KEYS, "")
        bench.send(lease, {})
        bench.leases.release(lease)
    assert seen == persons
