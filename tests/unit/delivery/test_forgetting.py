"""Who was erased is suppressed and loses their addresses, twice: messages may have been made meanwhile."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quanyu.delivery.forgetting import Forgetting
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Message, Shard
from quanyu.engine import roaring_from_ids, roaring_ids
from quanyu.runtime.storage.database import Database

ANN, BOB = 1 << 32, 1 << 32 | 1


class Erased:
    """Identity, where Ann is erased by raw frame 7."""

    asked: list[int]

    def __init__(self) -> None:
        self.asked = []

    def erased(self, workspace: str, from_raw_offset: int) -> tuple[list[int], int]:
        self.asked.append(from_raw_offset)
        return ([ANN] if from_raw_offset <= 7 else []), 9


def row(kind: type[Any], **given: Any) -> Any:
    return kind(workspace="shop", campaign="recall", version=1, **given)


def test_who_was_erased_is_suppressed_and_loses_their_address(database: Database) -> None:
    store, peers = Store(database), Erased()
    shard = {"number": 0, "people": 2, "persons": roaring_from_ids([ANN, BOB]), "is_open": True, "is_made": True}
    leased = {"owner": "", "leased_until_ms": 0, "fence": 0, "wake_at_ms": 0}
    sent = {"state": "pending", "reason": "", "attempts": 0, "next_attempt_at_ms": 0, "shard": 0}

    def make(person: int, address: str) -> None:
        with database.writing() as session:
            session.merge(row(Message, person=person, identifier=address, key=person.to_bytes(16), **sent))

    def addresses() -> list[str]:
        with database.reading() as session:
            return list(session.scalars(select(Message.identifier).order_by(Message.person)))

    with database.writing() as session:
        session.add(row(Shard, **shard, **leased))
    make(ANN, "ann's")
    make(BOB, "bob's")
    forgetting = Forgetting(store, peers, lambda work, error: None)  # type: ignore[arg-type]
    assert forgetting.forget_erased("shop")
    assert addresses() == ["", "bob's"]
    assert roaring_ids(store.policies("shop", "")[1].persons, 0, 9) == [ANN]
    make(ANN, "ann's, asked for before")
    assert forgetting.forget_erased("shop")
    assert addresses() == ["", "bob's"]
    assert not forgetting.forget_erased("shop")
    assert peers.asked == [0, 0, 9]
    assert database.scrub()
