"""Messages pass from creation to a terminal state exactly once, whatever fails."""

from __future__ import annotations

from typing import TypeVar
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from quanyu.delivery import ledger as ledger_module
from quanyu.delivery.domain import ACCEPTED, TERMINAL, MessageState, Outcome, coupon_code
from quanyu.delivery.ledger import Ledger
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Attempt, CapEntry, Message
from quanyu.runtime.storage.database import Base, Database
from tests.seed import examples
from tests.unit.delivery.campaign_bench import BACKOFF, KEYS, LEASE_MS, Bench, nobody, people_of

T = TypeVar("T")


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_a_failed_message_is_retried_when_due_and_then_becomes_a_dead_letter(bench: Bench) -> None:
    bench.start_campaign(range(1, 6))
    lease = bench.claim_with_messages()
    poison = {3: Outcome(MessageState.RETRY_WAIT, "HTTP 500", retry_after=2.0)}
    assert bench.send(lease, poison) == [1, 2, 3, 4, 5]
    for _ in range(2):
        assert bench.send(lease, poison) == []
        bench.leases.release(lease)
        assert bench.leases.claim() is None
        bench.clock.now += 1999
        assert bench.leases.claim() is None
        bench.clock.now += 2000
        claimed = bench.leases.claim()
        assert claimed is not None
        lease = claimed
        assert bench.send(lease, poison) == [3]
    assert bench.states() == {1: "accepted", 2: "accepted", 3: "dead", 4: "accepted", 5: "accepted"}
    (dead,) = bench.store.dead_letters("w", "recall", 0, 10)
    assert (dead.person, dead.reason, dead.attempts) == (3, "gave up: HTTP 500", 3)
    bench.leases.release(lease)
    last = bench.leases.claim()
    assert last is not None
    assert last.people == 0


def test_dispatch_cancels_the_people_whom_the_recheck_refuses(bench: Bench) -> None:
    bench.start_campaign([1, 2, 3])
    lease = bench.claim_with_messages()
    sent = bench.ledger.dispatch(
        lease, 10, lambda _session, persons: {persons[0]: "suppressed", persons[2]: "suppressed"}
    )
    assert sent is not None
    assert [message.person for message in sent] == [2]
    bench.ledger.record(lease, "letters", sent, [ACCEPTED], BACKOFF, lambda: 0.5)
    assert bench.states() == {1: "cancelled", 2: "accepted", 3: "cancelled"}
    assert bench.store.counts("w", "recall") == {"accepted": 1, "cancelled": 2}


def test_people_without_an_identifier_are_cancelled(bench: Bench) -> None:
    bench.start_campaign([1, 2])
    lease = bench.leases.claim()
    assert lease is not None
    bench.ledger.create_messages(lease, {1: "a"}, [2], KEYS, "C")
    assert bench.send(lease, {}) == [1]
    with bench.store.database.reading() as session:
        (message,) = session.scalars(select(Message).where(Message.person == 2))
    assert (message.state, message.reason, message.coupon) == ("cancelled", "no_identifier", None)


def test_a_taken_coupon_code_is_drawn_again(bench: Bench) -> None:
    bench.start_campaign([1, 2, 3], coupon_prefix="C")
    lease = bench.leases.claim()
    assert lease is not None

    def colliding(prefix: str, key: bytes, draw: int = 0) -> str:
        return coupon_code(prefix, key if draw else b"same", draw)

    with patch.object(ledger_module, "coupon_code", colliding):
        bench.ledger.create_messages(lease, {1: "a", 2: "b", 3: "c"}, [], KEYS, "C")
    sent = bench.ledger.dispatch(lease, 10, nobody)
    assert sent is not None
    assert [m.coupon for m in sent] == [coupon_code("C", b"same"), *(coupon_code("C", m.key, 1) for m in sent[1:])]


OUTCOMES = st.sampled_from(
    [ACCEPTED, Outcome(MessageState.DEAD, "HTTP 400"), Outcome(MessageState.RETRY_WAIT, "HTTP 503")]
)


@examples(25)
@given(data=st.data(), people=st.integers(1, 12))
def test_any_sequence_of_crashes_and_failures_ends_with_all_people_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, people: int
) -> None:
    """Crashes, lost leases and failures occur in any order; an oracle records each effect by key."""
    database = fresh_database(tmp_path_factory)
    bench = Bench(Store(database))
    bench.start_campaign(range(1, people + 1), coupon_prefix="C")
    effects: dict[bytes, set[int]] = {}
    workers = [bench.ledger, Ledger(bench.other())]
    for _ in range(data.draw(st.integers(0, 20), label="turns before recovery")):
        run_one_turn(data, data.draw(st.sampled_from(workers)), effects)
        bench.clock.now += data.draw(st.sampled_from([10, LEASE_MS + 1, 11_000]))
    while bench.store.campaign("w", "recall").state == "running":
        bench.clock.now += 11_000
        run_one_turn(None, bench.ledger, effects)
    assert bench.store.campaign("w", "recall").state == "done"
    states = bench.states()
    assert set(states) == set(range(1, people + 1))
    assert set(states.values()) <= TERMINAL
    # Each person has one key, and each accepted message had an effect.
    accepted = {person for person, state in states.items() if state == "accepted"}
    assert sorted(p for persons in effects.values() for p in persons) == sorted(
        {p for s in effects.values() for p in s}
    )
    assert accepted <= {p for persons in effects.values() for p in persons}
    with database.reading() as session:
        assert set(session.scalars(select(CapEntry.person))) == accepted
        tried = session.execute(select(Attempt.person).where(Attempt.outcome == "accepted")).scalars().all()
        assert sorted(tried) == sorted(accepted)
    database.close()


def run_one_turn(data: st.DataObject | None, worker: Ledger, effects: dict[bytes, set[int]]) -> None:
    """Works on one lease, interrupted anywhere; without `data`, nothing fails."""

    def draw(strategy: st.SearchStrategy[T], calm: T) -> T:
        return calm if data is None else data.draw(strategy)

    lease = worker._leases.claim()
    if lease is None or draw(st.booleans(), False):
        return
    if lease.people == 0:
        worker._leases.complete(lease, [])
        return
    if not lease.is_made:
        worker.create_messages(lease, {p: f"id{p}" for p in people_of(lease)}, [], KEYS, "C")
    while sent := worker.dispatch(lease, draw(st.integers(1, 5), 5), nobody):
        reached = draw(st.integers(0, len(sent)), len(sent))
        answers = [draw(OUTCOMES, ACCEPTED) for _ in sent]
        for message, answer in zip(sent[:reached], answers, strict=False):
            if answer is ACCEPTED:
                effects.setdefault(message.key, set()).add(message.person)
        if reached < len(sent):
            return
        worker.record(lease, "letters", sent, answers, BACKOFF, lambda: 0.5)
    worker._leases.release(lease)


def fresh_database(factory: pytest.TempPathFactory) -> Database:
    database = Database(f"sqlite:///{factory.mktemp('ledger') / 'quanyu.db'}")
    # The databases need not survive a power cut.
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    Base.metadata.create_all(database.engine)
    return database
