"""What PutSchema refuses beyond what the core does."""

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.ingestion.domain import check_zone
from quanyu.runtime.errors import InvalidInput


def test_a_zone_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="Asia/Shanghai"):
        check_zone(event_pb2.Schema(settings=event_pb2.Settings(timezone="Asia/Shangai")))
    with pytest.raises(InvalidInput, match="no IANA time zone"):
        check_zone(event_pb2.Schema(settings=event_pb2.Settings()))


def test_a_zone_and_no_settings_pass() -> None:
    check_zone(event_pb2.Schema(settings=event_pb2.Settings(timezone="America/New_York")))
    check_zone(event_pb2.Schema())
