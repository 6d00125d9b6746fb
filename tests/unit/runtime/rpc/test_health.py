"""The log names the background work that has stopped, for every kind of work."""

from __future__ import annotations

import pytest

from quanyu.runtime.rpc.health import Health


@pytest.mark.parametrize("work", ["delivering", "folding tagging of shop"])
def test_a_failure_is_logged_with_service_work_and_cause(caplog: pytest.LogCaptureFixture, work: str) -> None:
    Health().report_failure("quanyu.api.delivery.v1.DeliveryService", work, OSError("the disk went away"))
    (record,) = caplog.records
    assert record.getMessage() == f"quanyu.api.delivery.v1.DeliveryService: {work} stopped: the disk went away"
    assert record.exc_info is not None
