"""Leases and messages on a real database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from quanyu.delivery import ledger as ledger_module
from quanyu.delivery import store as store_module
from quanyu.delivery.domain import ACCEPTED, DAY_MS, TERMINAL, Backoff, MessageState, Outcome, coupon_code, message_keys
from quanyu.delivery.leases import Lease, LeaseLostError, Leases
from quanyu.delivery.ledger import Ledger
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Attempt, Audience, CampaignVersion, CapEntry, Job, Message
from quanyu.engine import roaring_from_ids, roaring_ids
from quanyu.runtime.storage.database import Base, Database

T = TypeVar("T")

LEASE_MS = 1000
KEYS = message_keys("w", "recall", 1, 1, "letters")
BACKOFF = Backoff(base=1.0, cap=10.0, attempts=3)


@dataclass
class Clock:
    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Bench:
    """A campaign in the database, and two workers that share a clock."""

    store: Store
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.leases = Leases(self.store.database, "first", self.clock, LEASE_MS)
        self.ledger = Ledger(self.leases)

    def other(self) -> Leases:
        return Leases(self.store.database, "second", self.clock, LEASE_MS)

    def running(self, persons: Sequence[int], coupon_prefix: str = "") -> None:
        self.store.create_campaign(definition(coupon_prefix))
        eligible = roaring_from_ids(sorted(persons))
        audience = Audience(
            workspace="w", segment="s@1", as_of_ms=0, sha256=b"", raw_offset=0, persons=eligible, count=len(persons)
        )
        job = Job(
            workspace="w",
            campaign="recall",
            version=1,
            segment="s@1",
            as_of_ms=0,
            audience_sha256=b"",
            planned_at_ms=0,
            holdout_salt="",
            consent_revision=0,
            suppression_revision=0,
            eligible_count=len(persons),
            eligible=eligible,
        )
        self.store.save_plan(audience, job, [])
        self.store.start("w", "recall")

    def made(self, coupon_prefix: str = "") -> Lease:
        lease = self.leases.claim()
        assert lease is not None
        self.ledger.make(lease, {p: f"id{p}" for p in people_of(lease)}, [], KEYS, coupon_prefix)
        return lease

    def send(self, lease: Lease, outcomes: dict[int, Outcome], most: int = 1000) -> list[int]:
        sent = self.ledger.dispatch(lease, most, nobody)
        if sent is None:
            return []
        answers = [outcomes.get(message.person, ACCEPTED) for message in sent]
        self.ledger.record(lease, "letters", sent, answers, BACKOFF, lambda: 0.5)
        return [message.person for message in sent]

    def states(self) -> dict[int, str]:
        with self.store.database.reading() as session:
            return dict(session.execute(select(Message.person, Message.state)).all())


def definition(coupon_prefix: str = "") -> CampaignVersion:
    return CampaignVersion(
        workspace="w",
        name="recall",
        version=1,
        segment="s",
        segment_version=0,
        channel="letters",
        purpose="",
        holdout_basis_points=0,
        cap_messages=0,
        cap_days=0,
        coupon_prefix=coupon_prefix,
        template="",
        as_of_ms=None,
    )


def people_of(lease: Lease) -> list[int]:
    return roaring_ids(lease.persons, 0, 10**6)


def nobody(_session: Session, _persons: list[int]) -> dict[int, str]:
    return {}


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_all_accepted_is_done(bench: Bench) -> None:
    bench.running([3, 5, 2**32 + 1])
    lease = bench.made()
    assert bench.send(lease, {}) == [3, 5, 2**32 + 1]
    bench.leases.release(lease)
    last = bench.leases.claim()
    assert last is not None
    assert last.people == 0
    bench.leases.complete(last, [])
    assert bench.store.campaign("w", "recall").state == "done"
    assert bench.store.counts("w", "recall") == {"accepted": 3}


def test_a_shard_has_one_worker_until_its_lease_runs_out(bench: Bench) -> None:
    bench.running([3])
    lease = bench.made()
    assert bench.other().claim() is None
    bench.clock.now += LEASE_MS - 1
    bench.leases.renew(lease)
    bench.clock.now += LEASE_MS - 1
    assert bench.other().claim() is None
    bench.clock.now += 1
    taken = bench.other().claim()
    assert taken is not None
    assert taken.is_made


def test_who_lost_the_lease_writes_nothing(bench: Bench) -> None:
    bench.running([3, 4])
    lease = bench.made()
    sent = bench.ledger.dispatch(lease, 10, nobody)
    assert sent is not None
    bench.clock.now += LEASE_MS
    taken = bench.other().claim()
    assert taken is not None
    writes = [
        lambda: bench.ledger.record(lease, "letters", sent, [ACCEPTED] * 2, BACKOFF, lambda: 0.5),
        lambda: bench.ledger.dispatch(lease, 10, nobody),
        lambda: bench.ledger.make(lease, {}, [], KEYS, ""),
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


def test_a_failed_message_is_tried_again_when_due_and_then_dies_alone(bench: Bench) -> None:
    bench.running(range(1, 6))
    lease = bench.made()
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


def test_ambiguous_messages_keep_a_campaign_from_being_done(bench: Bench) -> None:
    bench.running([1, 2])
    lease = bench.made()
    bench.send(lease, {2: Outcome(MessageState.AMBIGUOUS, "no answer")})
    bench.leases.release(lease)
    last = bench.leases.claim()
    assert last is not None
    bench.leases.complete(last, [])
    campaign = bench.store.campaign("w", "recall")
    assert campaign.state == "needs_attention"
    assert "ambiguous" in campaign.detail


def test_whom_the_recheck_refuses_is_cancelled(bench: Bench) -> None:
    bench.running([1, 2, 3])
    lease = bench.made()
    sent = bench.ledger.dispatch(
        lease, 10, lambda _session, persons: {persons[0]: "suppressed", persons[2]: "suppressed"}
    )
    assert sent is not None
    assert [message.person for message in sent] == [2]
    bench.ledger.record(lease, "letters", sent, [ACCEPTED], BACKOFF, lambda: 0.5)
    assert bench.states() == {1: "cancelled", 2: "accepted", 3: "cancelled"}
    assert bench.store.counts("w", "recall") == {"accepted": 1, "cancelled": 2}


def test_who_has_no_identifier_any_more_is_cancelled(bench: Bench) -> None:
    bench.running([1, 2])
    lease = bench.leases.claim()
    assert lease is not None
    bench.ledger.make(lease, {1: "a"}, [2], KEYS, "C")
    assert bench.send(lease, {}) == [1]
    with bench.store.database.reading() as session:
        (message,) = session.scalars(select(Message).where(Message.person == 2))
    assert (message.state, message.reason, message.coupon) == ("cancelled", "no_identifier", None)


def test_a_taken_coupon_code_is_drawn_again(bench: Bench) -> None:
    bench.running([1, 2, 3], coupon_prefix="C")
    lease = bench.leases.claim()
    assert lease is not None

    def colliding(prefix: str, key: bytes, draw: int = 0) -> str:
        return coupon_code(prefix, key if draw else b"same", draw)

    with patch.object(ledger_module, "coupon_code", colliding):
        bench.ledger.make(lease, {1: "a", 2: "b", 3: "c"}, [], KEYS, "C")
    sent = bench.ledger.dispatch(lease, 10, nobody)
    assert sent is not None
    assert [m.coupon for m in sent] == [coupon_code("C", b"same"), *(coupon_code("C", m.key, 1) for m in sent[1:])]


def test_only_accepted_messages_count_towards_caps(bench: Bench) -> None:
    bench.running([1, 2])
    lease = bench.made()
    bench.send(lease, {2: Outcome(MessageState.DEAD, "HTTP 404")})
    today = bench.clock.now // DAY_MS
    assert roaring_ids(bench.store.capped("w", "letters", today, 1), 0, 10) == [1]
    assert roaring_ids(bench.store.capped("w", "letters", today, 2), 0, 10) == []
    assert roaring_ids(bench.store.capped("w", "letters", today + 1, 1), 0, 10) == []
    assert roaring_ids(bench.store.capped("w", "mail", today, 1), 0, 10) == []


def test_shards_split_the_eligible(bench: Bench) -> None:
    persons = sorted({(p % 3) << 32 | p + 1 for p in range(100)})
    with patch.object(store_module, "SHARD_PEOPLE", 7), patch.object(store_module, "_PAGE_PEOPLE", 21):
        bench.running(persons)
    seen: list[int] = []
    while (lease := bench.leases.claim()) and lease.people:
        seen += people_of(lease)
        assert len(people_of(lease)) == lease.people <= 7
        bench.ledger.make(lease, dict.fromkeys(people_of(lease), "x"), [], KEYS, "")
        bench.send(lease, {})
        bench.leases.release(lease)
    assert seen == persons


OUTCOMES = st.sampled_from(
    [ACCEPTED, Outcome(MessageState.DEAD, "HTTP 400"), Outcome(MessageState.RETRY_WAIT, "HTTP 503")]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), people=st.integers(1, 12))
def test_any_course_of_events_ends_with_everybody_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, people: int
) -> None:
    """Crashes, lost leases and failures in any order; an oracle journals every effect by key."""
    database = fresh_database(tmp_path_factory)
    bench = Bench(Store(database))
    bench.running(range(1, people + 1), coupon_prefix="C")
    effects: dict[bytes, set[int]] = {}
    workers = [bench.ledger, Ledger(bench.other())]
    for _ in range(data.draw(st.integers(0, 20), label="turns before calm")):
        run_one_turn(data, data.draw(st.sampled_from(workers)), effects)
        bench.clock.now += data.draw(st.sampled_from([10, LEASE_MS + 1, 11_000]))
    while bench.store.campaign("w", "recall").state == "running":
        bench.clock.now += 11_000
        run_one_turn(None, bench.ledger, effects)
    assert bench.store.campaign("w", "recall").state == "done"
    states = bench.states()
    assert set(states) == set(range(1, people + 1))
    assert set(states.values()) <= TERMINAL
    # One key a person, and whoever is accepted had an effect.
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
    """One lease: what a worker does, cut short anywhere; with no `data`, nothing fails."""

    def draw(strategy: st.SearchStrategy[T], calm: T) -> T:
        return calm if data is None else data.draw(strategy)

    lease = worker._leases.claim()
    if lease is None or draw(st.booleans(), False):
        return
    if lease.people == 0:
        worker._leases.complete(lease, [])
        return
    if not lease.is_made:
        worker.make(lease, {p: f"id{p}" for p in people_of(lease)}, [], KEYS, "C")
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
    # Hundreds of worlds: none has to outlive a power cut.
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    Base.metadata.create_all(database.engine)
    return database
