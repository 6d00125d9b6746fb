"""Leases of shards: which worker sends to which people, and when a campaign ends.

Each transaction of a worker starts with `hold`, which renews the lease or fails.
So a worker that lost its lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, aliased

from quanyu.delivery.domain import TERMINAL, CampaignState, MessageState, is_complete
from quanyu.delivery.store import count_messages
from quanyu.delivery.tables import Campaign, Job, Message, Output, Shard
from quanyu.runtime.storage.database import Base, Database

_SETTLED = [*TERMINAL, MessageState.AMBIGUOUS]


class LeaseLostError(Exception):
    """Another worker has the shard now. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard that this worker owns until the lease expires. Each write of the ledger renews it."""

    workspace: str
    campaign: str
    version: int
    number: int
    fence: int
    persons: bytes
    people: int
    is_made: bool

    def of(self, table: type[Message]) -> tuple[ColumnElement[bool], ...]:
        return (
            table.workspace == self.workspace,
            table.campaign == self.campaign,
            table.version == self.version,
            table.shard == self.number,
        )

    def key(self) -> dict[str, Any]:
        return {"workspace": self.workspace, "campaign": self.campaign, "version": self.version, "shard": self.number}


class Leases:
    """Claims and releases shards for one worker (`owner`). `clock` returns ms since 1970-01-01 UTC."""

    def __init__(self, database: Database, owner: str, clock: Callable[[], int], lease_ms: int) -> None:
        self.database = database
        self._owner = owner
        self.clock = clock
        self._lease_ms = lease_ms

    def claim(self) -> Lease | None:
        """Claims the next shard that no worker has, of any running campaign; returns None if there is none."""
        with self.database.reading() as session:
            if session.scalar(_claimable(self.clock())) is None:
                return None
        with self.database.writing() as session:
            now = self.clock()
            shard = session.scalar(_claimable(now).with_for_update(skip_locked=True, of=Shard))
            if shard is None:
                return None
            shard.owner = self._owner
            shard.leased_until_ms = now + self._lease_ms
            shard.fence += 1
            return Lease(
                shard.workspace,
                shard.campaign,
                shard.version,
                shard.number,
                shard.fence,
                shard.persons,
                shard.people,
                shard.is_made,
            )

    def renew(self, lease: Lease) -> None:
        with self.database.writing() as session:
            self.hold(session, lease)

    def release(self, lease: Lease) -> None:
        """Closes the shard if all its messages are settled; else any worker can claim it when the next one is due."""
        with self.database.writing() as session:
            self.hold(session, lease)
            unsettled = (*lease.of(Message), Message.state.not_in(_SETTLED))
            wake = session.scalar(select(func.min(Message.next_attempt_at_ms)).where(*unsettled))
            self._release(session, lease, is_open=wake is not None, wake_at_ms=wake or 0)

    def defer(self, lease: Lease, wait_ms: int, detail: str) -> None:
        """Postpones the shard; `detail` gives the reason in the status of the campaign."""
        with self.database.writing() as session:
            self.hold(session, lease)
            self._release(session, lease, is_open=True, wake_at_ms=self.clock() + wait_ms)
            session.execute(update(table_of(Campaign)).where(*_running(lease)).values(detail=detail))

    def fail(self, lease: Lease, detail: str) -> None:
        """Stops the campaign until a user starts it again."""
        with self.database.writing() as session:
            self.hold(session, lease)
            self._release(session, lease, is_open=True, wake_at_ms=0)
            session.execute(
                update(table_of(Campaign))
                .where(*_running(lease))
                .values(state=CampaignState.NEEDS_ATTENTION, detail=detail)
            )

    def complete(self, lease: Lease, outputs: Iterable[Output]) -> None:
        """Ends the campaign: as DONE if all messages are in a terminal state, else as NEEDS_ATTENTION."""
        with self.database.writing() as session:
            self.hold(session, lease)
            self._release(session, lease, is_open=False, wake_at_ms=0)
            job = session.get_one(Job, (lease.workspace, lease.campaign, lease.version))
            counts = count_messages(session, job)
            done = is_complete(job.eligible_count, counts)
            detail = "" if done else f"the ledger does not account for all {job.eligible_count} people: {counts}"
            for output in outputs:
                session.merge(output)
            session.execute(
                update(table_of(Campaign))
                .where(*_running(lease))
                .values(state=CampaignState.DONE if done else CampaignState.NEEDS_ATTENTION, detail=detail)
            )

    def hold(self, session: Session, lease: Lease, **values: Any) -> None:
        """Renews the lease; raises LeaseLostError if another worker has it. Comes first in each transaction."""
        self._change_shard(session, lease, leased_until_ms=self.clock() + self._lease_ms, **values)

    def _release(self, session: Session, lease: Lease, **values: Any) -> None:
        self._change_shard(session, lease, owner="", leased_until_ms=0, **values)

    def _change_shard(self, session: Session, lease: Lease, **values: Any) -> None:
        held = (
            Shard.workspace == lease.workspace,
            Shard.campaign == lease.campaign,
            Shard.version == lease.version,
            Shard.number == lease.number,
            Shard.fence == lease.fence,
            Shard.is_open,
        )
        if rows_of(session.execute(update(table_of(Shard)).where(*held).values(**values))) != 1:
            raise LeaseLostError(f"shard {lease.number} of campaign {lease.campaign!r}")


def _claimable(now: int) -> Any:
    other = aliased(Shard)
    others_open = exists().where(
        other.workspace == Shard.workspace,
        other.campaign == Shard.campaign,
        other.version == Shard.version,
        other.is_open,
        other.people > 0,
    )
    return (
        select(Shard)
        .join(Campaign, and_(Campaign.workspace == Shard.workspace, Campaign.name == Shard.campaign))
        .where(
            Campaign.state == CampaignState.RUNNING,
            Shard.is_open,
            Shard.leased_until_ms <= now,
            Shard.wake_at_ms <= now,
            or_(Shard.people > 0, ~others_open),
        )
        .order_by(Shard.wake_at_ms, Shard.number)
        .limit(1)
    )


def _running(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        Campaign.workspace == lease.workspace,
        Campaign.name == lease.campaign,
        Campaign.state == CampaignState.RUNNING,
    )


def table_of(mapped: type[Base]) -> Table:
    """Returns the table of a mapped class, for bulk statements without the ORM."""
    assert isinstance(mapped.__table__, Table)
    return mapped.__table__


def rows_of(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
