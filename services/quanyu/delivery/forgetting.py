"""Forgets erased people: suppresses them, so that nothing more is sent, and clears their data in messages."""

from __future__ import annotations

from sqlalchemy import select, update

from quanyu.delivery.people_client import PeopleClient
from quanyu.delivery.recheck import all_ids, intersection
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Attempt, Campaign, DeadLetter, Forgotten, Message, Shard
from quanyu.engine import roaring_from_ids
from quanyu.runtime.background import BackgroundLoop, Pause, ReportFailure
from quanyu.runtime.errors import NotFound, Unavailable

LOOK_SECONDS = 5.0


class Forgetting:
    """Polls identity for erased people of all workspaces, in one thread."""

    def __init__(self, store: Store, people: PeopleClient, report_failure: ReportFailure) -> None:
        self._store = store
        self._people = people
        # The offset at which the last poll of each workspace ended. Messages can be created meanwhile with an address
        # that was read before the erasure, so each person is forgotten in two polls.
        self._looked: dict[str, int] = {}
        self._is_scrubbed = True
        self._loop = BackgroundLoop(
            "forgetting erased people",
            self._step,
            report_failure,
            retried=(Unavailable,),
            retry_seconds=LOOK_SECONDS,
            first_pause=Pause.exactly(LOOK_SECONDS),
        )

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Stops; the next start continues."""
        self._loop.stop()

    def _step(self) -> Pause:
        forgets = [self.forget_erased(workspace) for workspace in self._workspaces()]
        self._is_scrubbed = (self._is_scrubbed and not any(forgets)) or self._store.database.scrub()
        return Pause.exactly(LOOK_SECONDS)

    def _workspaces(self) -> list[str]:
        with self._store.database.reading() as session:
            return list(session.scalars(select(Campaign.workspace).distinct()))

    def forget_erased(self, workspace: str) -> bool:
        """Forgets the erased people of a workspace; returns whether there were any."""
        with self._store.database.reading() as session:
            known = session.get(Forgotten, workspace)
        forgotten = 0 if known is None else known.raw_offset
        try:
            erased, next_raw_offset = self._people.erased(workspace, forgotten)
        except NotFound:
            return False  # The workspace has no data.
        if not erased:
            return False
        persons = roaring_from_ids(erased)
        self._store.put_suppressions(workspace, persons, suppressed=True)
        self._forget(workspace, persons)
        with self._store.database.writing() as session:
            session.merge(Forgotten(workspace=workspace, raw_offset=self._looked.get(workspace, forgotten)))
        self._looked[workspace] = next_raw_offset
        return True

    def _forget(self, workspace: str, persons: bytes) -> None:
        with self._store.database.reading() as session:
            shards = list(session.scalars(select(Shard).where(Shard.workspace == workspace)))
        for shard in shards:
            held = all_ids(intersection(shard.persons, persons))
            if held:
                self._forget_in_shard(shard, held)

    def _forget_in_shard(self, shard: Shard, persons: list[int]) -> None:
        """Clears the data of people in one short transaction."""
        with self._store.database.writing() as session:
            for table, blank in (
                (Message, {"identifier": ""}),
                (Attempt, {"detail": ""}),
                (DeadLetter, {"reason": ""}),
            ):
                theirs = (
                    table.workspace == shard.workspace,
                    table.campaign == shard.campaign,
                    table.version == shard.version,
                    table.person.in_(persons),
                )
                session.execute(update(table).where(*theirs).values(blank))
