"""Stores channels, consents, suppressions, campaigns and plans, and reads their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from quanyu.delivery.domain import CampaignState, MessageState
from quanyu.delivery.tables import (
    Audience,
    Campaign,
    CampaignVersion,
    CapEntry,
    Channel,
    Consent,
    DeadLetter,
    Job,
    JobStep,
    Message,
    Output,
    Shard,
    Suppression,
)
from quanyu.engine import roaring_difference, roaring_from_ids, roaring_ids, roaring_union
from quanyu.runtime.errors import Conflict, FailedPrecondition, NotFound
from quanyu.runtime.storage.database import Base, Database

# People in a shard: few enough to create their messages in one short transaction.
SHARD_PEOPLE = 8192
_PAGE_PEOPLE = 64 * SHARD_PEOPLE

T = TypeVar("T")


class Store:
    """The tables that gRPC calls read and write. Workers use `leases` and `ledger`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put_channel(self, channel: Channel) -> None:
        """Stores a channel; raises Conflict if a channel with this name has another kind or namespace."""
        with self.database.writing() as session:
            known = session.get(Channel, (channel.workspace, channel.name))
            if known is not None and (known.kind, known.namespace) != (channel.kind, channel.namespace):
                raise Conflict(
                    f"channel {channel.name!r} is of kind {known.kind} and namespace {known.namespace!r}, which cannot "
                    "change; create another channel"
                )
            session.merge(channel)

    def channel(self, workspace: str, name: str) -> Channel:
        with self.database.reading() as session:
            return _require_found(
                session.get(Channel, (workspace, name)), f"channel {name!r}", "call PutChannel to create it"
            )

    def put_consents(self, workspace: str, purpose: str, persons: bytes, granted: bool) -> None:
        self._change(Consent, {"workspace": workspace, "purpose": purpose}, persons, granted)

    def put_suppressions(self, workspace: str, persons: bytes, suppressed: bool) -> None:
        self._change(Suppression, {"workspace": workspace}, persons, suppressed)

    def _change(self, kind: type[Consent] | type[Suppression], key: dict[str, str], persons: bytes, add: bool) -> None:
        with self.database.writing() as session:
            row: Any = session.get(kind, key, with_for_update=True)
            if row is None:
                row = kind(**key, persons=roaring_from_ids([]), revision=0)
                session.add(row)
            row.persons = (roaring_union if add else roaring_difference)(row.persons, persons)
            row.revision += 1

    def policies(self, workspace: str, purpose: str) -> tuple[Consent, Suppression]:
        """Returns who consents to a purpose and who is suppressed. Revision 0 means that nothing was stored yet."""
        with self.database.reading() as session:
            consent = session.get(Consent, (workspace, purpose))
            suppression = session.get(Suppression, workspace)
        nobody = roaring_from_ids([])
        return (
            consent or Consent(workspace=workspace, purpose=purpose, persons=nobody, revision=0),
            suppression or Suppression(workspace=workspace, persons=nobody, revision=0),
        )

    def create_campaign(self, definition: CampaignVersion) -> None:
        """Creates a campaign. Does nothing if it exists with the same contents; raises Conflict if they differ."""
        campaign = Campaign(
            workspace=definition.workspace,
            name=definition.name,
            version=definition.version,
            state=CampaignState.DRAFT,
            detail="",
        )
        try:
            with self.database.writing() as session:
                session.add_all([campaign, definition])
        except IntegrityError:
            if _contents(self.definition(definition.workspace, definition.name)) != _contents(definition):
                raise Conflict(
                    f"there is a campaign {definition.name!r} with other contents, which cannot change; use another "
                    "name"
                ) from None

    def campaign(self, workspace: str, name: str) -> Campaign:
        with self.database.reading() as session:
            return _campaign(session, workspace, name)

    def definition(self, workspace: str, name: str) -> CampaignVersion:
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            return session.get_one(CampaignVersion, (workspace, name, campaign.version))

    def plan(self, workspace: str, name: str) -> tuple[Job, Sequence[JobStep]] | None:
        """Returns the job and the steps of its waterfall without bitmaps; None before the campaign is planned."""
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            job = session.get(Job, (workspace, name, campaign.version))
            return None if job is None else (job, _steps(session, job, with_people=False))

    def capped(self, workspace: str, channel: str, since_day: int, most: int) -> bytes:
        """Returns the people with at least `most` messages on a channel since a UTC day (days since 1970-01-01)."""
        query = (
            select(CapEntry.person)
            .where(CapEntry.workspace == workspace, CapEntry.channel == channel, CapEntry.day >= since_day)
            .group_by(CapEntry.person)
            .having(func.count() >= most)
        )
        with self.database.reading() as session:
            return roaring_from_ids(sorted(session.scalars(query)))

    def save_plan(self, audience: Audience, job: Job, steps: list[JobStep]) -> None:
        """Stores the plan. Does nothing if another call stored one first."""
        with self.database.writing() as session:
            campaign = _campaign(session, job.workspace, job.campaign)
            if campaign.state == CampaignState.DRAFT:
                session.merge(audience)
                session.add_all([job, *steps])
                campaign.state = CampaignState.PLANNED

    def start(self, workspace: str, name: str) -> None:
        """Splits the eligible people into shards for the workers; reopens the shards after NEEDS_ATTENTION."""
        campaign = self.campaign(workspace, name)
        if campaign.state == CampaignState.DRAFT:
            raise _not_planned(name)
        shards = self._split_into_shards(campaign) if campaign.state == CampaignState.PLANNED else []
        with self.database.writing() as session:
            campaign = _campaign(session, workspace, name)
            if campaign.state == CampaignState.PLANNED:
                session.add_all(shards)
            elif campaign.state == CampaignState.NEEDS_ATTENTION:
                _reopen(session, campaign)
            else:
                return
            campaign.state, campaign.detail = CampaignState.RUNNING, ""

    def _split_into_shards(self, campaign: Campaign) -> list[Shard]:
        with self.database.reading() as session:
            key = (campaign.workspace, campaign.name, campaign.version)
            eligible = session.get_one(Job, key, options=[undefer(Job.eligible)]).eligible
        parts: list[list[int]] = []
        page = roaring_ids(eligible, 0, _PAGE_PEOPLE)
        while page:
            parts += [page[i : i + SHARD_PEOPLE] for i in range(0, len(page), SHARD_PEOPLE)]
            page = roaring_ids(eligible, page[-1], _PAGE_PEOPLE)
        return [_shard(campaign, number, persons) for number, persons in enumerate([*parts, []])]

    def counts(self, workspace: str, name: str) -> dict[str, int]:
        """Counts messages by state; `pending` counts eligible people without a message yet."""
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            job = session.get(Job, (workspace, name, campaign.version))
            return {} if job is None else count_messages(session, job)

    def outputs(self, workspace: str, name: str) -> Sequence[Output]:
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            found = select(Output).where(*_belongs_to(Output, campaign)).order_by(Output.path)
            return session.scalars(found).all()

    def dead_letters(self, workspace: str, name: str, after: int, limit: int) -> Sequence[DeadLetter]:
        """Returns the dead letters of people greater than `after`, ascending."""
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            found = select(DeadLetter).where(*_belongs_to(DeadLetter, campaign), DeadLetter.person > after)
            return session.scalars(found.order_by(DeadLetter.person).limit(limit)).all()

    def outcome_of(self, workspace: str, name: str, person: int) -> tuple[str, str]:
        """Returns the step that stopped a person (or `not_in_audience`) or else the message state, and the reason."""
        with self.database.reading() as session:
            campaign = _campaign(session, workspace, name)
            job = session.get(Job, (workspace, name, campaign.version))
            if job is None:
                raise _not_planned(name)
            audience = session.get_one(Audience, (workspace, job.segment, job.as_of_ms, job.audience_sha256))
            if not has_person(audience.persons, person):
                return "not_in_audience", ""
            for step in _steps(session, job, with_people=True):
                if has_person(step.removed, person):
                    return step.step, ""
            found = select(Message).where(*_belongs_to(Message, campaign), Message.person == person)
            message = session.scalars(found).one_or_none()
            return (MessageState.PENDING, "") if message is None else (message.state, message.reason)


def _not_planned(name: str) -> FailedPrecondition:
    return FailedPrecondition(f"campaign {name!r} is not planned yet; call PlanCampaign first", reason="NOT_PLANNED")


def has_person(persons: bytes, person: int) -> bool:
    return person > 0 and roaring_ids(persons, person - 1, 1) == [person]


def count_messages(session: Session, job: Job) -> dict[str, int]:
    by_state = (
        select(Message.state, func.count())
        .where(Message.workspace == job.workspace, Message.campaign == job.campaign, Message.version == job.version)
        .group_by(Message.state)
    )
    counts: dict[str, int] = dict(session.execute(by_state).all())
    pending = job.eligible_count - sum(counts.values())
    return counts | ({MessageState.PENDING: pending} if pending else {})


def _steps(session: Session, job: Job, *, with_people: bool) -> Sequence[JobStep]:
    found = select(JobStep).where(
        JobStep.workspace == job.workspace, JobStep.campaign == job.campaign, JobStep.version == job.version
    )
    options = [undefer(JobStep.removed)] if with_people else []
    return session.scalars(found.order_by(JobStep.position).options(*options)).all()


def _shard(campaign: Campaign, number: int, persons: list[int]) -> Shard:
    return Shard(
        workspace=campaign.workspace,
        campaign=campaign.name,
        version=campaign.version,
        number=number,
        people=len(persons),
        persons=roaring_from_ids(persons),
        is_open=True,
        is_made=False,
        owner="",
        leased_until_ms=0,
        fence=0,
        wake_at_ms=0,
    )


def _reopen(session: Session, campaign: Campaign) -> None:
    """Makes the open shards due, and reopens the last one, which counts again."""
    last = select(func.max(Shard.number)).where(*_belongs_to(Shard, campaign)).scalar_subquery()
    session.execute(update(Shard).where(*_belongs_to(Shard, campaign), Shard.number == last).values(is_open=True))
    session.execute(update(Shard).where(*_belongs_to(Shard, campaign), Shard.is_open).values(wake_at_ms=0))


def _belongs_to(
    table: type[Output] | type[DeadLetter] | type[Message] | type[Shard], campaign: Campaign
) -> tuple[ColumnElement[bool], ...]:
    return (
        table.workspace == campaign.workspace,
        table.campaign == campaign.name,
        table.version == campaign.version,
    )


def _campaign(session: Session, workspace: str, name: str) -> Campaign:
    found = session.scalar(select(Campaign).where(Campaign.workspace == workspace, Campaign.name == name))
    return _require_found(found, f"campaign {name!r}", "call CreateCampaign to create it")


def _require_found(row: T | None, what: str, hint: str) -> T:
    if row is None:
        raise NotFound(f"there is no {what}; {hint}")
    return row


def _contents(row: Base) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
