"""Checks consent and suppression again right before dispatch."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from quanyu.delivery.tables import CampaignVersion, Consent, Job, Suppression
from quanyu.engine import roaring_difference, roaring_from_ids, roaring_ids


def intersection(a: bytes, b: bytes) -> bytes:
    """Returns the people who are in both sets."""
    return roaring_difference(a, roaring_difference(a, b))


class Recheck:
    """Finds people who withdrew consent or were suppressed after planning. Reads the sets only if they changed."""

    def __init__(self, job: Job, definition: CampaignVersion) -> None:
        self._job = job
        self._purpose = definition.purpose
        self._seen = (job.consent_revision, job.suppression_revision)
        self._withdrawn = self._suppressed = roaring_from_ids([])

    def find_refused(self, session: Session, persons: list[int]) -> dict[int, str]:
        """Returns the reason for each refused person, in the transaction that dispatches the others."""
        revisions = self._revisions(session)
        if revisions != self._seen:
            self._read_policies(session)
            self._seen = revisions
        batch = roaring_from_ids(persons)
        reasons = dict.fromkeys(all_ids(intersection(batch, self._withdrawn)), "consent_withdrawn")
        return reasons | dict.fromkeys(all_ids(intersection(batch, self._suppressed)), "suppressed")

    def _revisions(self, session: Session) -> tuple[int, int]:
        workspace = self._job.workspace
        consent = select(Consent.revision).where(Consent.workspace == workspace, Consent.purpose == self._purpose)
        suppression = select(Suppression.revision).where(Suppression.workspace == workspace)
        return session.scalar(consent) or 0 if self._purpose else 0, session.scalar(suppression) or 0

    def _read_policies(self, session: Session) -> None:
        key = (self._job.workspace, self._job.campaign, self._job.version)
        eligible = session.get_one(Job, key, options=[undefer(Job.eligible)]).eligible
        if self._purpose:
            consent = session.get(Consent, (self._job.workspace, self._purpose))
            self._withdrawn = eligible if consent is None else roaring_difference(eligible, consent.persons)
        suppression = session.get(Suppression, self._job.workspace)
        if suppression is not None:
            self._suppressed = intersection(eligible, suppression.persons)


def all_ids(persons: bytes) -> list[int]:
    """Returns all people of a set, ascending."""
    return roaring_ids(persons, 0, 2**31)
