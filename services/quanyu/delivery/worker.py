"""The delivery worker: claims a shard, creates its messages, sends them through the sink and records the outcomes."""

from __future__ import annotations

import logging
import random
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quanyu.delivery.domain import Backoff, message_keys, parse_template, render
from quanyu.delivery.leases import Lease, LeaseLostError, Leases
from quanyu.delivery.ledger import Dispatched, Ledger
from quanyu.delivery.people_client import PeopleClient
from quanyu.delivery.recheck import Recheck, all_ids
from quanyu.delivery.sinks import Outgoing, Run, Sink, SinkFailedError
from quanyu.delivery.sinks.registry import open_sink
from quanyu.delivery.store import Store
from quanyu.delivery.tables import CampaignVersion, Channel, Job, Output
from quanyu.runtime.background import NO_PAUSE, BackgroundLoop, Pause, ReportFailure
from quanyu.runtime.errors import DomainError, Unavailable
from quanyu.runtime.instants import now_ms
from quanyu.runtime.storage.data_folder import DataFolder

log = logging.getLogger(__name__)

LEASE_MS = 6_000
IDLE_SECONDS = 0.5
# How long a worker stays on a shard before it can switch to another campaign.
TURN_SECONDS = 2.0
RETRY_MS = 1_000
# A campaign is one step of messages.
STEP = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """The open state of a running campaign."""

    job: Job
    definition: CampaignVersion
    channel: Channel
    sink: Sink
    recheck: Recheck
    key_of: Callable[[int], bytes]
    pieces: list[tuple[str, str | None]]

    def outgoing(self, message: Dispatched) -> Outgoing:
        coupon = message.coupon or ""
        content = render(self.pieces, coupon, message.identifier)
        return Outgoing(message.key.hex(), message.person, message.identifier, coupon, content)


class DeliveryWorker:
    """Runs one thread that delivers, and one that renews its lease while a sink is slow."""

    def __init__(
        self,
        store: Store,
        people: PeopleClient,
        folder: DataFolder,
        backoff: Backoff,
        report_failure: ReportFailure,
    ) -> None:
        self._store = store
        self._people = people
        self._folder = folder
        self._backoff = backoff
        owner = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._leases = Leases(store.database, owner, now_ms, LEASE_MS)
        self._ledger = Ledger(self._leases)
        self._open: dict[tuple[str, str], Delivery] = {}
        self._held: Lease | None = None
        self._delivering = BackgroundLoop("delivering", self._step, report_failure)
        self._renewing = BackgroundLoop("renewing leases", self._renew_lease, report_failure)

    def start(self) -> None:
        self._delivering.start()
        self._renewing.start()

    def wake(self) -> None:
        """Makes the worker look for a shard now."""
        self._delivering.wake()

    def stop(self) -> None:
        """Stops after the current batch; the next start continues."""
        self._delivering.stop()
        self._renewing.stop()
        for delivery in self._open.values():
            delivery.sink.close()
        self._open.clear()

    def _step(self) -> Pause:
        """Works on one shard for one turn, if one can be claimed."""
        try:
            lease = self._leases.claim()
        except Unavailable as error:
            log.warning("%s", error)
            lease = None
        if lease is None:
            return Pause.until_woken(IDLE_SECONDS)
        self._held = lease
        try:
            self._work(lease)
        except LeaseLostError as error:
            log.warning("lost the lease of %s", error)
        except Exception as error:
            self._handle_failure(lease, error)
        finally:
            self._held = None
        return NO_PAUSE

    def _handle_failure(self, lease: Lease, error: Exception) -> None:
        """Postpones the shard after a temporary failure; stops the campaign after any other."""
        try:
            match error:
                case Unavailable():
                    self._leases.defer(lease, RETRY_MS, f"waiting: {error}")
                case DomainError() | SinkFailedError():
                    self._leases.fail(lease, str(error))
                case _:
                    log.error("campaign %s of %s stopped", lease.campaign, lease.workspace, exc_info=error)
                    self._leases.fail(lease, f"unexpected {type(error).__name__}; the server's log has the details")
        except (LeaseLostError, Unavailable) as again:
            # The lease expires, and the shard is claimed again.
            log.warning("shard %d of campaign %s: %s", lease.number, lease.campaign, again)

    def _work(self, lease: Lease) -> None:
        delivery = self._delivery(lease)
        if lease.people == 0:
            self._finish(lease, delivery)
            return
        if not lease.is_made:
            self._create_messages(lease, delivery)
        turn_ends = time.monotonic() + TURN_SECONDS
        while not self._delivering.is_stopping and time.monotonic() < turn_ends:
            delivery.sink.check()
            sent = self._ledger.dispatch(lease, delivery.sink.batch, delivery.recheck.find_refused)
            if sent is None:
                break
            if sent:
                outcomes = delivery.sink.send(lease.number, [delivery.outgoing(message) for message in sent])
                self._ledger.record(lease, delivery.channel.name, sent, outcomes, self._backoff, random.random)
        self._leases.release(lease)

    def _create_messages(self, lease: Lease, delivery: Delivery) -> None:
        known = dict(self._people.identifiers(lease.workspace, lease.persons, delivery.channel.namespace))
        without_identifier = [person for person in all_ids(lease.persons) if person not in known]
        self._ledger.create_messages(
            lease, known, without_identifier, delivery.key_of, delivery.definition.coupon_prefix
        )

    def _finish(self, lease: Lease, delivery: Delivery) -> None:
        finished = delivery.sink.finish()
        outputs = [
            Output(
                workspace=lease.workspace,
                campaign=lease.campaign,
                version=lease.version,
                path=str(file.path.relative_to(self._folder.path)),
                rows=file.rows,
                sha256=file.sha256,
            )
            for file in finished
        ]
        self._leases.complete(lease, outputs)
        self._open.pop((lease.workspace, lease.campaign)).sink.close()

    def _delivery(self, lease: Lease) -> Delivery:
        """Returns the open state of the campaign; opens it on first use and after a change of its channel."""
        definition = self._store.definition(lease.workspace, lease.campaign)
        channel = self._store.channel(lease.workspace, definition.channel)
        known = self._open.get((lease.workspace, lease.campaign))
        if known is not None and known.channel.config == channel.config:
            return known
        if known is not None:
            known.sink.close()
        opened = self._open_delivery(definition, channel)
        self._open[lease.workspace, lease.campaign] = opened
        return opened

    def _open_delivery(self, definition: CampaignVersion, channel: Channel) -> Delivery:
        workspace, name = definition.workspace, definition.name
        plan = self._store.plan(workspace, name)
        assert plan is not None, "only planned campaigns have shards"
        job, _ = plan
        run = Run(
            name,
            job.segment,
            job.as_of_ms,
            job.planned_at_ms,
            bool(definition.coupon_prefix),
            bool(definition.template),
        )
        return Delivery(
            job,
            definition,
            channel,
            open_sink(channel, self._campaign_folder(workspace, name), run),
            Recheck(job, definition),
            message_keys(workspace, name, definition.version, STEP, channel.name),
            parse_template(definition.template),
        )

    def _campaign_folder(self, workspace: str, name: str) -> Path:
        return self._folder.delivered(workspace) / name

    def _renew_lease(self) -> Pause:
        lease = self._held
        if lease is not None:
            try:
                self._leases.renew(lease)
            except (LeaseLostError, Unavailable) as error:
                log.warning("renewing shard %d of campaign %s: %s", lease.number, lease.campaign, error)
        return Pause.exactly(LEASE_MS / 3000)
