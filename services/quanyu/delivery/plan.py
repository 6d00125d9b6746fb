"""Plans a campaign: decides once who receives a message, and which step stops the others."""

from __future__ import annotations

from dataclasses import dataclass

from quanyu.delivery.domain import DAY_MS, STEPS
from quanyu.delivery.people_client import Members, PeopleClient
from quanyu.delivery.recheck import intersection
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Audience, CampaignVersion, Job, JobStep
from quanyu.engine import plan_waterfall, roaring_count, roaring_difference, roaring_from_ids


@dataclass(frozen=True, slots=True)
class Policies:
    """The sets of people that decide, as Roaring bytes. `consented` is None if the campaign needs no consent."""

    reachable: bytes
    consented: bytes | None
    suppressed: bytes
    capped: bytes
    holdout_salt: str
    holdout_basis_points: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps that narrow an audience, and the eligible people who are left."""

    # (step, people remaining, people of the audience whom it stops), in order; the first is the audience itself.
    steps: list[tuple[str, int, bytes]]
    eligible: bytes


def waterfall(audience: bytes, policies: Policies) -> Waterfall:
    """Narrows the audience step by step."""
    nobody = roaring_from_ids([])
    removed = [
        roaring_difference(audience, policies.reachable),
        nobody if policies.consented is None else roaring_difference(audience, policies.consented),
        intersection(audience, policies.suppressed),
        intersection(audience, policies.capped),
    ]
    steps = [(step, persons, False) for step, persons in zip(STEPS, removed, strict=False)]
    counts, eligible, held_out = plan_waterfall(audience, steps, policies.holdout_salt, policies.holdout_basis_points)
    names = ["audience", *STEPS]
    stopped = [nobody, *removed, held_out]
    remaining = [*(count for _, count in counts[: len(STEPS)]), roaring_count(eligible)]
    return Waterfall(list(zip(names, remaining, stopped, strict=True)), eligible)


def plan_campaign(store: Store, people: PeopleClient, definition: CampaignVersion, now_ms: int) -> None:
    """Evaluates the segment, narrows it and stores the plan. Does nothing if the campaign is planned already."""
    if store.plan(definition.workspace, definition.name) is not None:
        return
    channel = store.channel(definition.workspace, definition.channel)
    members = people.members(definition.workspace, definition.segment, definition.segment_version, definition.as_of_ms)
    reachable = roaring_from_ids(
        [person for person, _ in people.identifiers(definition.workspace, members.persons, channel.namespace)]
    )
    consent, suppression = store.policies(definition.workspace, definition.purpose)
    policies = Policies(
        reachable,
        consent.persons if definition.purpose else None,
        suppression.persons,
        _people_at_cap(store, definition, now_ms),
        f"{definition.workspace}/{definition.name}@{definition.version}",
        definition.holdout_basis_points,
    )
    planned = waterfall(members.persons, policies)
    job = Job(
        workspace=definition.workspace,
        campaign=definition.name,
        version=definition.version,
        segment=members.segment,
        as_of_ms=members.as_of_ms,
        audience_sha256=members.sha256,
        planned_at_ms=now_ms,
        holdout_salt=policies.holdout_salt,
        consent_revision=consent.revision if definition.purpose else 0,
        suppression_revision=suppression.revision,
        eligible_count=roaring_count(planned.eligible),
        eligible=planned.eligible,
    )
    store.save_plan(_audience(definition.workspace, members), job, _steps(job, planned))


def _people_at_cap(store: Store, definition: CampaignVersion, now_ms: int) -> bytes:
    if definition.cap_messages == 0:
        return roaring_from_ids([])
    # Today counts as one of the days.
    since = now_ms // DAY_MS - definition.cap_days + 1
    return store.capped(definition.workspace, definition.channel, since, definition.cap_messages)


def _audience(workspace: str, members: Members) -> Audience:
    return Audience(
        workspace=workspace,
        segment=members.segment,
        as_of_ms=members.as_of_ms,
        sha256=members.sha256,
        raw_offset=members.raw_offset,
        persons=members.persons,
        count=members.count,
    )


def _steps(job: Job, planned: Waterfall) -> list[JobStep]:
    return [
        JobStep(
            workspace=job.workspace,
            campaign=job.campaign,
            version=job.version,
            position=position,
            step=step,
            remaining=remaining,
            removed=removed,
        )
        for position, (step, remaining, removed) in enumerate(planned.steps)
    ]
