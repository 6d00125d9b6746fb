"""DeliveryService: implements the calls and converts their messages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import grpc

from quanyu.api.delivery.v1 import delivery_pb2 as pb
from quanyu.delivery.checks import checked_campaign, checked_channel, checked_purpose
from quanyu.delivery.domain import Backoff, CampaignState, MessageState
from quanyu.delivery.forgetting import Forgetting
from quanyu.delivery.people_client import PeopleClient
from quanyu.delivery.plan import plan_campaign
from quanyu.delivery.store import Store
from quanyu.delivery.tables import CampaignVersion, Channel
from quanyu.delivery.worker import DeliveryWorker
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import milliseconds, now_ms, timestamp
from quanyu.runtime.rpc.paging import page_limit, parse_page_token
from quanyu.runtime.rpc.server import register_service
from quanyu.runtime.service import ServiceContext
from quanyu.runtime.storage.data_folder import check_workspace_name

_DESCRIPTOR = pb.DESCRIPTOR.services_by_name["DeliveryService"]
_WATCH_SECONDS = 0.25

_STATES = {
    CampaignState.DRAFT: pb.CampaignStatus.STATE_DRAFT,
    CampaignState.PLANNED: pb.CampaignStatus.STATE_PLANNED,
    CampaignState.RUNNING: pb.CampaignStatus.STATE_RUNNING,
    CampaignState.DONE: pb.CampaignStatus.STATE_DONE,
    CampaignState.NEEDS_ATTENTION: pb.CampaignStatus.STATE_NEEDS_ATTENTION,
}
_FORMATS = {pb.FileSink.FORMAT_CSV: "csv", pb.FileSink.FORMAT_PARQUET: "parquet"}


def open_service(context: ServiceContext) -> DeliveryService:
    return DeliveryService(context, Backoff())


class DeliveryService:
    """Implements delivery.proto. `backoff` schedules the retries of failed messages."""

    name = _DESCRIPTOR.full_name

    def __init__(self, context: ServiceContext, backoff: Backoff) -> None:
        self._folder = context.folder
        self._store = Store(context.database)
        self._people = PeopleClient(context.channels.to("tagging"), context.channels.to("identity"))
        report_failure = partial(context.health.report_failure, self.name)
        self._worker = DeliveryWorker(self._store, self._people, context.folder, backoff, report_failure)
        self._forgetting = Forgetting(self._store, self._people, report_failure)

    def register(self, server: grpc.Server) -> None:
        register_service(server, _DESCRIPTOR, self)

    def start(self) -> None:
        self._worker.start()
        self._forgetting.start()

    def stop(self) -> None:
        self._forgetting.stop()
        self._worker.stop()

    def close(self) -> None:
        """Does nothing: all state is in the database."""

    def PutChannel(self, request: pb.PutChannelRequest, _context: grpc.ServicerContext) -> pb.PutChannelResponse:
        check_workspace_name(request.workspace)
        self._store.put_channel(checked_channel(_channel(request.workspace, request.channel)))
        return pb.PutChannelResponse()

    def PutConsents(self, request: pb.PutConsentsRequest, _context: grpc.ServicerContext) -> pb.PutConsentsResponse:
        check_workspace_name(request.workspace)
        if not request.purpose:
            raise InvalidInput(
                "purpose is empty; give the purpose that people consent to, such as `marketing`", field="purpose"
            )
        self._store.put_consents(request.workspace, checked_purpose(request.purpose), request.persons, request.granted)
        return pb.PutConsentsResponse()

    def PutSuppressions(
        self, request: pb.PutSuppressionsRequest, _context: grpc.ServicerContext
    ) -> pb.PutSuppressionsResponse:
        check_workspace_name(request.workspace)
        self._store.put_suppressions(request.workspace, request.persons, request.suppressed)
        return pb.PutSuppressionsResponse()

    def CreateCampaign(
        self, request: pb.CreateCampaignRequest, _context: grpc.ServicerContext
    ) -> pb.CreateCampaignResponse:
        check_workspace_name(request.workspace)
        definition = checked_campaign(_definition(request.workspace, request.campaign))
        self._store.channel(request.workspace, definition.channel)
        self._store.create_campaign(definition)
        return pb.CreateCampaignResponse(status=self._status(request.workspace, definition.name))

    def PlanCampaign(self, request: pb.PlanCampaignRequest, _context: grpc.ServicerContext) -> pb.PlanCampaignResponse:
        definition = self._store.definition(request.workspace, request.name)
        plan_campaign(self._store, self._people, definition, now_ms())
        return pb.PlanCampaignResponse(status=self._status(request.workspace, request.name))

    def StartCampaign(
        self, request: pb.StartCampaignRequest, _context: grpc.ServicerContext
    ) -> pb.StartCampaignResponse:
        self._store.start(request.workspace, request.name)
        self._worker.wake()
        return pb.StartCampaignResponse(status=self._status(request.workspace, request.name))

    def GetCampaign(self, request: pb.GetCampaignRequest, _context: grpc.ServicerContext) -> pb.GetCampaignResponse:
        definition = self._store.definition(request.workspace, request.name)
        return pb.GetCampaignResponse(
            campaign=_campaign(definition), status=self._status(request.workspace, request.name)
        )

    def WatchCampaign(
        self, request: pb.WatchCampaignRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchCampaignResponse]:
        last = None
        while context.is_active():
            began = time.monotonic()
            status = self._status(request.workspace, request.name)
            if status != last:
                yield pb.WatchCampaignResponse(status=status)
            if status.state != pb.CampaignStatus.STATE_RUNNING:
                return
            last = status
            # Counting a large ledger takes time, so the pause limits the load to a tenth of a processor.
            time.sleep(max(_WATCH_SECONDS, 10 * (time.monotonic() - began)))

    def ReportCampaign(
        self, request: pb.ReportCampaignRequest, _context: grpc.ServicerContext
    ) -> pb.ReportCampaignResponse:
        status = self._status(request.workspace, request.name)
        files = [
            pb.OutputFile(path=str(self._folder.path / output.path), rows=output.rows, sha256=output.sha256)
            for output in self._store.outputs(request.workspace, request.name)
        ]
        return pb.ReportCampaignResponse(
            status=status, delivered=status.messages.get(MessageState.ACCEPTED, 0), files=files
        )

    def ExplainDelivery(
        self, request: pb.ExplainDeliveryRequest, _context: grpc.ServicerContext
    ) -> pb.ExplainDeliveryResponse:
        outcome, detail = self._store.outcome_of(request.workspace, request.name, request.person)
        return pb.ExplainDeliveryResponse(outcome=outcome, detail=detail)

    def ListDeadLetters(
        self, request: pb.ListDeadLettersRequest, _context: grpc.ServicerContext
    ) -> pb.ListDeadLettersResponse:
        limit = page_limit(request.page_size)
        (after,) = parse_page_token(request.page_token, 1)
        dead = self._store.dead_letters(request.workspace, request.name, after, limit)
        messages = [pb.DeadMessage(person=row.person, reason=row.reason, attempts=row.attempts) for row in dead]
        token = str(dead[-1].person) if len(dead) == limit else ""
        return pb.ListDeadLettersResponse(messages=messages, next_page_token=token)

    def _status(self, workspace: str, name: str) -> pb.CampaignStatus:
        campaign = self._store.campaign(workspace, name)
        status = pb.CampaignStatus(
            state=_STATES[CampaignState(campaign.state)],
            messages=self._store.counts(workspace, name),
            detail=campaign.detail,
        )
        plan = self._store.plan(workspace, name)
        if plan is not None:
            job, steps = plan
            status.waterfall.extend(pb.WaterfallStep(step=step.step, count=step.remaining) for step in steps)
            status.as_of.CopyFrom(timestamp(job.as_of_ms))
            status.segment = job.segment
            status.audience_sha256 = job.audience_sha256
        return status


def _channel(workspace: str, channel: pb.Channel) -> Channel:
    sink = channel.WhichOneof("sink")
    if sink == "webhook":
        webhook = channel.webhook
        config = {
            "url": webhook.url,
            "secret": webhook.secret,
            "allow_private_address": webhook.allow_private_address,
        }
        return Channel(workspace=workspace, name=channel.name, kind=sink, namespace=channel.namespace, config=config)
    kind = _FORMATS.get(channel.file.format, "") if sink == "file" else ""
    if not kind:
        raise InvalidInput(
            "the channel has no sink; set `webhook`, or `file` with FORMAT_CSV or FORMAT_PARQUET", field="sink"
        )
    return Channel(workspace=workspace, name=channel.name, kind=kind, namespace=channel.namespace, config={})


def _definition(workspace: str, campaign: pb.Campaign) -> CampaignVersion:
    return CampaignVersion(
        workspace=workspace,
        name=campaign.name,
        version=1,
        segment=campaign.segment,
        segment_version=campaign.segment_version,
        channel=campaign.channel,
        purpose=campaign.purpose,
        holdout_basis_points=campaign.holdout_basis_points,
        cap_messages=campaign.cap_messages,
        cap_days=campaign.cap_days,
        coupon_prefix=campaign.coupon_prefix,
        template=campaign.template,
        as_of_ms=milliseconds(campaign.as_of, "as_of") if campaign.HasField("as_of") else None,
    )


def _campaign(definition: CampaignVersion) -> pb.Campaign:
    return pb.Campaign(
        name=definition.name,
        segment=definition.segment,
        segment_version=definition.segment_version,
        channel=definition.channel,
        purpose=definition.purpose,
        holdout_basis_points=definition.holdout_basis_points,
        cap_messages=definition.cap_messages,
        cap_days=definition.cap_days,
        coupon_prefix=definition.coupon_prefix,
        template=definition.template,
        as_of=None if definition.as_of_ms is None else timestamp(definition.as_of_ms),
    )
