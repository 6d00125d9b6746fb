"""The tables of delivery. Instants are ms since 1970-01-01 UTC; sets of people are 64-bit Roaring bitmaps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quanyu.runtime.storage.database import Base

Name = String(255)


def _key(kind: Any) -> Any:
    return mapped_column(kind, primary_key=True, autoincrement=False)


class Channel(Base):
    """A destination of messages. Its kind and namespace never change, because caps and messages depend on them."""

    __tablename__ = "channels"
    workspace: Mapped[str] = _key(String(63))
    name: Mapped[str] = _key(Name)
    # csv, parquet or webhook.
    kind: Mapped[str] = mapped_column(String(16))
    namespace: Mapped[str] = mapped_column(Name)
    # The configuration of the sink.
    config: Mapped[dict[str, Any]] = mapped_column(JSON)


class Consent(Base):
    __tablename__ = "consents"
    workspace: Mapped[str] = _key(String(63))
    purpose: Mapped[str] = _key(Name)
    persons: Mapped[bytes] = mapped_column(LargeBinary)
    # Increases with each change, so that batches are checked again only after a change.
    revision: Mapped[int] = mapped_column(BigInteger)


class Suppression(Base):
    __tablename__ = "suppressions"
    workspace: Mapped[str] = _key(String(63))
    persons: Mapped[bytes] = mapped_column(LargeBinary)
    revision: Mapped[int] = mapped_column(BigInteger)


class Campaign(Base):
    __tablename__ = "campaigns"
    workspace: Mapped[str] = _key(String(63))
    name: Mapped[str] = _key(Name)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str]


class CampaignVersion(Base):
    """The definition of a campaign, which never changes."""

    __tablename__ = "campaign_versions"
    workspace: Mapped[str] = _key(String(63))
    name: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    segment: Mapped[str] = mapped_column(Name)
    # 0 is the newest version at the time of planning.
    segment_version: Mapped[int]
    channel: Mapped[str] = mapped_column(Name)
    purpose: Mapped[str] = mapped_column(Name)
    holdout_basis_points: Mapped[int]
    cap_messages: Mapped[int]
    cap_days: Mapped[int]
    coupon_prefix: Mapped[str] = mapped_column(Name)
    template: Mapped[str]
    # None is the time of planning.
    as_of_ms: Mapped[int | None] = mapped_column(BigInteger)


class Audience(Base):
    """The stored members of a segment at an instant."""

    __tablename__ = "audiences"
    workspace: Mapped[str] = _key(String(63))
    # `name@version`.
    segment: Mapped[str] = _key(Name)
    as_of_ms: Mapped[int] = _key(BigInteger)
    sha256: Mapped[bytes] = _key(LargeBinary(32))
    raw_offset: Mapped[int] = mapped_column(BigInteger)
    persons: Mapped[bytes] = mapped_column(LargeBinary)
    count: Mapped[int] = mapped_column(BigInteger)


class Job(Base):
    """The stored plan of a campaign: its eligible people, and the salt and policy revisions that decided them."""

    __tablename__ = "jobs"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    segment: Mapped[str] = mapped_column(Name)
    as_of_ms: Mapped[int] = mapped_column(BigInteger)
    audience_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    planned_at_ms: Mapped[int] = mapped_column(BigInteger)
    holdout_salt: Mapped[str]
    consent_revision: Mapped[int] = mapped_column(BigInteger)
    suppression_revision: Mapped[int] = mapped_column(BigInteger)
    eligible_count: Mapped[int] = mapped_column(BigInteger)
    eligible: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class JobStep(Base):
    """One step of a waterfall. `removed` are all people of the audience whom it stops, even if an earlier step does."""

    __tablename__ = "job_steps"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    position: Mapped[int] = _key(BigInteger)
    step: Mapped[str] = mapped_column(String(32))
    remaining: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Shard(Base):
    """Some people of a job, under one lease. The last shard has no people: its worker finishes the sink.

    A claim increments `fence`, and each later write requires this number.
    """

    __tablename__ = "shards"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    number: Mapped[int] = _key(BigInteger)
    people: Mapped[int] = mapped_column(BigInteger)
    persons: Mapped[bytes] = mapped_column(LargeBinary)
    is_open: Mapped[bool]
    # True once its messages exist.
    is_made: Mapped[bool]
    owner: Mapped[str] = mapped_column(Name)
    leased_until_ms: Mapped[int] = mapped_column(BigInteger)
    fence: Mapped[int] = mapped_column(BigInteger)
    wake_at_ms: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "is_open", "wake_at_ms"),)


class Message(Base):
    __tablename__ = "messages"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    shard: Mapped[int] = _key(BigInteger)
    person: Mapped[int] = _key(BigInteger)
    key: Mapped[bytes] = mapped_column(LargeBinary(16))
    identifier: Mapped[str]
    # None if the campaign has no coupons.
    coupon: Mapped[str | None] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str]
    attempts: Mapped[int]
    next_attempt_at_ms: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("workspace", "key"),
        UniqueConstraint("workspace", "coupon", name="uq_messages_coupon"),
        {"sqlite_with_rowid": False},
    )


class Attempt(Base):
    """One attempt to send a message, with its outcome."""

    __tablename__ = "attempts"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    shard: Mapped[int] = _key(BigInteger)
    person: Mapped[int] = _key(BigInteger)
    attempt: Mapped[int] = _key(BigInteger)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str]
    __table_args__ = ({"sqlite_with_rowid": False},)


class DeadLetter(Base):
    __tablename__ = "dead_letters"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    person: Mapped[int] = _key(BigInteger)
    reason: Mapped[str]
    attempts: Mapped[int]
    at_ms: Mapped[int] = mapped_column(BigInteger)


class CapEntry(Base):
    """A message that counts towards caps on the UTC day of its acceptance (days since 1970-01-01)."""

    __tablename__ = "cap_entries"
    workspace: Mapped[str] = _key(String(63))
    channel: Mapped[str] = _key(Name)
    day: Mapped[int] = _key(BigInteger)
    person: Mapped[int] = _key(BigInteger)
    key: Mapped[bytes] = _key(LargeBinary(16))
    __table_args__ = ({"sqlite_with_rowid": False},)


class Forgotten(Base):
    """The progress of forgetting erased people."""

    __tablename__ = "forgotten"
    workspace: Mapped[str] = _key(String(63))
    # All people erased before this offset are forgotten.
    raw_offset: Mapped[int] = mapped_column(BigInteger)


class Output(Base):
    """A finished output file; `path` is relative to the data folder."""

    __tablename__ = "outputs"
    workspace: Mapped[str] = _key(String(63))
    campaign: Mapped[str] = _key(Name)
    version: Mapped[int] = _key(BigInteger)
    path: Mapped[str] = _key(String(1024))
    rows: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
