"""A running campaign in a real database, for tests of leases, ledger and store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from quanyu.delivery.domain import ACCEPTED, Backoff, Outcome, message_keys
from quanyu.delivery.leases import Lease, Leases
from quanyu.delivery.ledger import Ledger
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Audience, CampaignVersion, Job, Message
from quanyu.engine import roaring_from_ids, roaring_ids

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
    """A campaign in a real database, and two workers that share a clock."""

    store: Store
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.leases = Leases(self.store.database, "first", self.clock, LEASE_MS)
        self.ledger = Ledger(self.leases)

    def other(self) -> Leases:
        return Leases(self.store.database, "second", self.clock, LEASE_MS)

    def start_campaign(self, persons: Sequence[int], coupon_prefix: str = "") -> None:
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

    def claim_with_messages(self, coupon_prefix: str = "") -> Lease:
        lease = self.leases.claim()
        assert lease is not None
        self.ledger.create_messages(lease, {p: f"id{p}" for p in people_of(lease)}, [], KEYS, coupon_prefix)
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
