"""The ledger of messages, from their creation to a terminal state.

Statements update whole ranges of people; only refused and failed messages are written one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quanyu.delivery.domain import DAY_MS, Backoff, MessageState, Outcome, coupon_code, sources_of
from quanyu.delivery.leases import Lease, Leases, rows_of, table_of
from quanyu.delivery.tables import Attempt, CapEntry, DeadLetter, Message

_COUPON_DRAWS = 8
_LOOKUP = 500


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A message that is committed as `dispatching`. If this is not its first attempt, it may have been sent already."""

    person: int
    key: bytes
    identifier: str
    coupon: str | None
    attempt: int


class Ledger:
    """The messages of the shards that one worker has leased."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._database = leases.database

    def create_messages(
        self,
        lease: Lease,
        identifiers: dict[int, str],
        without_identifier: Collection[int],
        key_of: Callable[[int], bytes],
        coupon_prefix: str,
    ) -> None:
        """Creates the messages of a shard; cancels those of people who have no identifier any more."""
        rows = [_row(lease, person, key_of(person), value, "", coupon_prefix) for person, value in identifiers.items()]
        rows += [_row(lease, person, key_of(person), "", "no_identifier", "") for person in without_identifier]
        for draw in range(1, _COUPON_DRAWS):
            try:
                with self._database.writing() as session:
                    self._leases.hold(session, lease, is_made=True)
                    session.execute(insert(table_of(Message)), rows)
                return
            except IntegrityError:
                if not self._redraw(rows, coupon_prefix, draw):
                    raise
        raise AssertionError(f"no unused coupon codes after {_COUPON_DRAWS} draws")

    def _redraw(self, rows: list[dict[str, Any]], prefix: str, draw: int) -> bool:
        """Draws another code for messages whose code is taken; returns False if no code is taken."""
        coupons = [row["coupon"] for row in rows if row["coupon"] is not None]
        taken: set[str] = set()
        with self._database.reading() as session:
            for i in range(0, len(coupons), _LOOKUP):
                query = select(Message.coupon).where(
                    Message.workspace == rows[0]["workspace"], Message.coupon.in_(coupons[i : i + _LOOKUP])
                )
                taken.update(coupon for coupon in session.scalars(query) if coupon is not None)
        changed = False
        for row in rows:
            if row["coupon"] in taken:
                row["coupon"] = coupon_code(prefix, row["key"], draw)
                changed = True
            if row["coupon"] is not None:
                taken.add(row["coupon"])
        return changed

    def dispatch(
        self, lease: Lease, most: int, refused: Callable[[Session, list[int]], dict[int, str]]
    ) -> list[Dispatched] | None:
        """Commits up to `most` due messages as `dispatching` and returns them; returns None if none is due.

        Cancels the messages of people whom `refused` returns. Includes messages that are `dispatching` already: they
        may have been sent, and only sending them again settles it.
        """
        with self._database.writing() as session:
            self._leases.hold(session, lease)
            due = _due(lease, self._leases.clock())
            found = session.execute(
                select(Message.person, Message.key, Message.identifier, Message.coupon, Message.attempts, Message.state)
                .where(*due)
                .order_by(Message.person)
                .limit(most)
            ).all()
            if not found:
                return None
            fresh = [row.person for row in found if row.state != MessageState.DISPATCHING]
            reasons = refused(session, fresh) if fresh else {}
            _settle(session, lease, [(person, MessageState.CANCELLED, why, 0) for person, why in reasons.items()])
            session.execute(
                update(table_of(Message))
                .where(*due, *_between(found[0].person, found[-1].person))
                .values(state=MessageState.DISPATCHING, attempts=Message.attempts + 1)
            )
            return [
                Dispatched(row.person, row.key, row.identifier, row.coupon, row.attempts + 1)
                for row in found
                if row.person not in reasons
            ]

    def record(
        self,
        lease: Lease,
        channel: str,
        sent: Sequence[Dispatched],
        outcomes: Sequence[Outcome],
        backoff: Backoff,
        chance: Callable[[], float],
    ) -> None:
        """Records the outcomes of a dispatched batch in one transaction: attempts, caps, dead letters, states."""
        now = self._leases.clock()
        changes: list[tuple[int, MessageState, str, int]] = []
        failed: list[tuple[Dispatched, Outcome]] = []
        for message, outcome in zip(sent, outcomes, strict=True):
            if outcome.state == MessageState.ACCEPTED:
                continue
            failed.append((message, outcome))
            changes.append(_change(message, outcome, now, backoff, chance))
        with self._database.writing() as session:
            self._leases.hold(session, lease)
            _settle(session, lease, changes)
            _log_failures(session, lease, failed, changes, now)
            accepted = (
                *lease.of(Message),
                *_between(sent[0].person, sent[-1].person),
                Message.state == MessageState.DISPATCHING,
            )
            _log_accepted(session, channel, accepted, now)
            moved = session.execute(
                update(table_of(Message)).where(*accepted).values(state=MessageState.ACCEPTED, reason="")
            )
            if rows_of(moved) != len(sent) - len(failed):
                raise AssertionError(
                    f"{rows_of(moved)} messages were dispatching, {len(sent) - len(failed)} were accepted"
                )


def _row(lease: Lease, person: int, key: bytes, identifier: str, cancelled: str, coupon_prefix: str) -> dict[str, Any]:
    return {
        **lease.key(),
        "person": person,
        "key": key,
        "identifier": identifier,
        "coupon": coupon_code(coupon_prefix, key) if coupon_prefix else None,
        "state": MessageState.CANCELLED if cancelled else MessageState.CLAIMED,
        "reason": cancelled,
        "attempts": 0,
        "next_attempt_at_ms": 0,
    }


def _due(lease: Lease, now: int) -> tuple[ColumnElement[bool], ...]:
    return (
        *lease.of(Message),
        Message.state.in_(sources_of(MessageState.DISPATCHING)),
        Message.next_attempt_at_ms <= now,
    )


def _between(first: int, last: int) -> tuple[ColumnElement[bool], ...]:
    return Message.person >= first, Message.person <= last


def _change(
    message: Dispatched, outcome: Outcome, now: int, backoff: Backoff, chance: Callable[[], float]
) -> tuple[int, MessageState, str, int]:
    """Returns (person, state, reason, next attempt) after an attempt that was not accepted."""
    if outcome.state == MessageState.RETRY_WAIT:
        if backoff.is_exhausted(message.attempt):
            return message.person, MessageState.DEAD, f"gave up: {outcome.detail}", 0
        wait = backoff.delay(message.attempt, outcome.retry_after, chance())
        return message.person, MessageState.RETRY_WAIT, outcome.detail, now + int(1000 * wait)
    return message.person, outcome.state, outcome.detail, 0


def _settle(session: Session, lease: Lease, changes: Sequence[tuple[int, MessageState, str, int]]) -> None:
    for state in {state for _, state, _, _ in changes}:
        # `in` cannot be prepared once for many rows.
        sources = [Message.state == source for source in sources_of(state)]
        statement = (
            update(table_of(Message))
            .where(*lease.of(Message), Message.person == bindparam("who"), or_(*sources))
            .values(state=state, reason=bindparam("why"), next_attempt_at_ms=bindparam("due"))
        )
        rows = [{"who": who, "why": why, "due": due} for who, new, why, due in changes if new == state]
        session.connection().execute(statement, rows)


def _log_failures(
    session: Session,
    lease: Lease,
    failed: Sequence[tuple[Dispatched, Outcome]],
    changes: Sequence[tuple[int, MessageState, str, int]],
    now: int,
) -> None:
    attempts = [
        {
            **lease.key(),
            "person": message.person,
            "attempt": message.attempt,
            "at_ms": now,
            "outcome": outcome.state,
            "detail": outcome.detail,
        }
        for message, outcome in failed
    ]
    dead = [
        {
            "workspace": lease.workspace,
            "campaign": lease.campaign,
            "version": lease.version,
            "person": message.person,
            "reason": reason,
            "attempts": message.attempt,
            "at_ms": now,
        }
        for (message, _), (_, state, reason, _) in zip(failed, changes, strict=True)
        if state == MessageState.DEAD
    ]
    if attempts:
        session.execute(insert(table_of(Attempt)), attempts)
    if dead:
        session.execute(insert(table_of(DeadLetter)), dead)


def _log_accepted(session: Session, channel: str, accepted: tuple[ColumnElement[bool], ...], now: int) -> None:
    m = Message
    attempt = select(
        m.workspace,
        m.campaign,
        m.version,
        m.shard,
        m.person,
        m.attempts,
        literal(now),
        literal("accepted"),
        literal(""),
    )
    session.execute(
        insert(table_of(Attempt)).from_select(
            ["workspace", "campaign", "version", "shard", "person", "attempt", "at_ms", "outcome", "detail"],
            attempt.where(*accepted),
        )
    )
    entry = select(m.workspace, literal(channel), literal(now // DAY_MS), m.person, m.key)
    session.execute(
        insert(table_of(CapEntry)).from_select(["workspace", "channel", "day", "person", "key"], entry.where(*accepted))
    )
