"""The client of the demo: like any client, it calls the services by gRPC only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.delivery.v1 import delivery_pb2, delivery_pb2_grpc
from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.cli.demo.world import Recall
from quanyu.runtime.errors import FailedPrecondition

_AUTHOR = "demo"
_VISIBLE_SECONDS = 300
# A reported time is the median of this many evaluations: one alone is too noisy on a busy machine.
EVALUATIONS = 5


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The members of a segment at an instant, and the median time of their evaluation."""

    count: int
    milliseconds: float
    windows: tuple[tagging_pb2.ResolvedWindow, ...]
    roaring: bytes


class DemoClient:
    """Calls the services for one workspace; methods raise grpc.RpcError."""

    def __init__(self, name: str, as_of: datetime, channel: grpc.Channel) -> None:
        self.name = name
        self.as_of = Timestamp()
        self.as_of.FromDatetime(as_of)
        self._ingestion = ingestion_pb2_grpc.IngestionServiceStub(channel)
        self._tagging = tagging_pb2_grpc.TaggingServiceStub(channel)
        self._delivery = delivery_pb2_grpc.DeliveryServiceStub(channel)

    def put_schema(self, schema: event_pb2.Schema) -> None:
        self._ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=self.name, schema=schema))

    def wait_until_visible(self, condition: str, raw_offset: int) -> int:
        """Waits until rules see everything up to `raw_offset`; returns the number of people.

        `condition` is any valid condition.
        """
        request = self._preview(condition, raw_offset)
        return int(self._tagging.PreviewRule(request, timeout=_VISIBLE_SECONDS).universe)

    def publish(self, rules: str) -> list[tagging_pb2.Rule]:
        request = tagging_pb2.PublishRuleRequest(workspace=self.name, text=rules, author=_AUTHOR)
        return list(self._tagging.PublishRule(request).rules)

    def preview(self, text: str) -> tagging_pb2.PreviewRuleResponse:
        response: tagging_pb2.PreviewRuleResponse = self._tagging.PreviewRule(self._preview(text))
        return response

    def timed_preview(self, text: str) -> tuple[tagging_pb2.PreviewRuleResponse, float]:
        """Returns a preview, and the median of the engine's milliseconds."""
        answers = [self.preview(text) for _ in range(EVALUATIONS)]
        return answers[0], median(answer.basis.milliseconds for answer in answers)

    def evaluate(self, segment: str) -> Evaluation:
        request = tagging_pb2.EvaluateRequest(
            workspace=self.name, segment=segment, as_of=tagging_pb2.AsOf(instant=self.as_of)
        )
        answers = [list(self._tagging.Evaluate(request)) for _ in range(EVALUATIONS)]
        header = answers[0][0].header
        return Evaluation(
            count=int(header.count),
            milliseconds=median(answer[0].header.basis.milliseconds for answer in answers),
            windows=tuple(header.basis.windows),
            roaring=b"".join(message.roaring for message in answers[0]),
        )

    def deliver(self, recall: Recall) -> delivery_pb2.ReportCampaignResponse:
        """Plans and runs the campaign into a CSV file; raises FailedPrecondition if it does not finish."""
        file = delivery_pb2.FileSink(format=delivery_pb2.FileSink.FORMAT_CSV)
        channel = delivery_pb2.Channel(name="recall_file", namespace=recall.namespace, file=file)
        self._delivery.PutChannel(delivery_pb2.PutChannelRequest(workspace=self.name, channel=channel))
        campaign = delivery_pb2.Campaign(
            name="recall",
            segment=recall.segment,
            channel=channel.name,
            holdout_basis_points=1_000,
            coupon_prefix=recall.coupon_prefix,
            template=recall.template,
            as_of=self.as_of,
        )
        self._delivery.CreateCampaign(delivery_pb2.CreateCampaignRequest(workspace=self.name, campaign=campaign))
        named = {"workspace": self.name, "name": campaign.name}
        self._delivery.PlanCampaign(delivery_pb2.PlanCampaignRequest(**named))
        self._delivery.StartCampaign(delivery_pb2.StartCampaignRequest(**named))
        for _ in self._delivery.WatchCampaign(delivery_pb2.WatchCampaignRequest(**named)):
            pass
        report: delivery_pb2.ReportCampaignResponse
        report = self._delivery.ReportCampaign(delivery_pb2.ReportCampaignRequest(**named))
        if report.status.state != delivery_pb2.CampaignStatus.STATE_DONE:
            state = delivery_pb2.CampaignStatus.State.Name(report.status.state)
            raise FailedPrecondition(f"campaign {campaign.name} ended as {state}: {report.status.detail}", reason=state)
        return report

    def _preview(self, text: str, raw_offset: int = 0) -> tagging_pb2.PreviewRuleRequest:
        as_of = tagging_pb2.AsOf(instant=self.as_of, min_raw_offset=raw_offset)
        return tagging_pb2.PreviewRuleRequest(workspace=self.name, text=text, as_of=as_of)
