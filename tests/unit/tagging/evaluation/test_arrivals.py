"""Conversion of instants of arrival to offsets of the raw log."""

import tempfile

from hypothesis import given
from hypothesis import strategies as st

from quanyu.api.event.v1 import log_pb2
from quanyu.engine import LocalLog
from quanyu.tagging.evaluation.arrivals import offset_known_before
from tests.seed import examples


@examples(40)
@given(st.lists(st.integers(1, 12), max_size=8).map(sorted), st.integers(0, 13))
def test_k7_the_offset_covers_the_frames_that_arrived_before_the_instant(arrivals: list[int], instant: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = LocalLog.create(folder)
        for offset, arrival in enumerate(arrivals):
            log.append(log_pb2.ResolvedFrame(raw_offset=offset, received_at_ms=arrival).SerializeToString())
        assert offset_known_before(log, instant) == sum(arrival < instant for arrival in arrivals)
        log.close()
