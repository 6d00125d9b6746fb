"""Health: the status of each service, and the log line of stopped background work."""

from __future__ import annotations

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from quanyu.runtime.rpc.health import Health
from tests.unit.runtime.rpc.served import Running


def test_each_service_has_its_status_and_any_failure_is_one_of_the_process(
    running: Running, channel: grpc.Channel
) -> None:
    def status(name: str) -> int:
        return int(health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name)).status)

    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert status("") == not_serving
    running.health.set_serving("", "a", "b")
    assert [status(name) for name in ("", "a", "b")] == [serving] * 3
    running.health.report_failure("a", "delivering", OSError("disk"))
    assert [status(name) for name in ("", "a", "b")] == [not_serving, not_serving, serving]


@pytest.mark.parametrize("work", ["delivering", "folding tagging of shop"])
def test_a_failure_is_logged_with_service_work_and_cause(caplog: pytest.LogCaptureFixture, work: str) -> None:
    Health().report_failure("quanyu.api.delivery.v1.DeliveryService", work, OSError("the disk went away"))
    (record,) = caplog.records
    assert record.getMessage() == f"quanyu.api.delivery.v1.DeliveryService: {work} stopped: the disk went away"
    assert record.exc_info is not None
