"""One worker at a time writes to a shard, and a campaign ends when its ledger is complete."""

from __future__ import annotations

import pytest

from quanyu.delivery.domain import ACCEPTED, MessageState, Outcome
from quanyu.delivery.leases import LeaseLostError
from quanyu.delivery.ledger import Ledger
from quanyu.delivery.store import Store
from tests.unit.delivery.campaign_bench import BACKOFF, KEYS, LEASE_MS, Bench, nobody


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_a_campaign_is_done_when_all_messages_are_accepted(bench: Bench) -> None:
    bench.start_campaign([3, 5, 2**32 + 1])
    lease = bench.claim_with_messages()
    assert bench.send(lease, {}) == [3, 5, 2**32 + 1]
    bench.leases.release(lease)
    last = bench.leases.claim()
    assert last is not None
    assert last.people == 0
    bench.leases.complete(last, [])
    assert bench.store.campaign("w", "recall").state == "done"
    assert bench.store.counts("w", "recall") == {"accepted": 3}


def test_a_shard_has_one_worker_until_its_lease_expires(bench: Bench) -> None:
    bench.start_campaign([3])
    lease = bench.claim_with_messages()
    assert bench.other().claim() is None
    bench.clock.now += LEASE_MS - 1
    bench.leases.renew(lease)
    bench.clock.now += LEASE_MS - 1
    assert bench.other().claim() is None
    bench.clock.now += 1
    taken = bench.other().claim()
    assert taken is not None
    assert taken.is_made


def test_a_worker_that_lost_its_lease_writes_nothing(bench: Bench) -> None:
    bench.start_campaign([3, 4])
    lease = bench.claim_with_messages()
    sent = bench.ledger.dispatch(lease, 10, nobody)
    assert sent is not None
    bench.clock.now += LEASE_MS
    taken = bench.other().claim()
    assert taken is not None
    writes = [
        lambda: bench.ledger.record(lease, "letters", sent, [ACCEPTED] * 2, BACKOFF, lambda: 0.5),
        lambda: bench.ledger.dispatch(lease, 10, nobody),
        lambda: bench.ledger.create_messages(lease, {}, [], KEYS, ""),
        lambda: bench.leases.release(lease),
        lambda: bench.leases.renew(lease),
        lambda: bench.leases.defer(lease, 1, ""),
        lambda: bench.leases.fail(lease, ""),
        lambda: bench.leases.complete(lease, []),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError):
            write()
    assert bench.states() == {3: "dispatching", 4: "dispatching"}
    assert bench.store.campaign("w", "recall").state == "running"
    # The new owner finds what may have been sent, and sends it again with the same keys.
    again = Ledger(bench.other()).dispatch(taken, 10, nobody)
    assert again is not None
    assert [(m.key, m.attempt) for m in again] == [(m.key, 2) for m in sent]


def test_a_campaign_with_ambiguous_messages_needs_attention(bench: Bench) -> None:
    bench.start_campaign([1, 2])
    lease = bench.claim_with_messages()
    bench.send(lease, {2: Outcome(MessageState.AMBIGUOUS, "no answer")})
    bench.leases.release(lease)
    last = bench.leases.claim()
    assert last is not None
    bench.leases.complete(last, [])
    campaign = bench.store.campaign("w", "recall")
    assert campaign.state == "needs_attention"
    assert "ambiguous" in campaign.detail


def test_a_postponed_shard_is_claimed_again_after_its_wait(bench: Bench) -> None:
    bench.start_campaign([1])
    lease = bench.leases.claim()
    assert lease is not None
    bench.leases.defer(lease, 500, "waiting: tagging is down")
    assert bench.store.campaign("w", "recall").detail == "waiting: tagging is down"
    assert bench.leases.claim() is None
    bench.clock.now += 500
    assert bench.leases.claim() is not None


def test_a_failed_campaign_stops_until_it_is_started_again(bench: Bench) -> None:
    bench.start_campaign([1])
    lease = bench.leases.claim()
    assert lease is not None
    bench.leases.fail(lease, "the disk is full")
    campaign = bench.store.campaign("w", "recall")
    assert (campaign.state, campaign.detail) == ("needs_attention", "the disk is full")
    assert bench.leases.claim() is None
    bench.store.start("w", "recall")
    assert bench.leases.claim() is not None
