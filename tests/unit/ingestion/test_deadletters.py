"""Dead letters are listed once each, in order, whatever the page size."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.api.event.v1 import event_pb2, log_pb2
from quanyu.engine import LocalLog
from quanyu.ingestion.deadletters import read_page
from quanyu.runtime.errors import InvalidInput
from tests.seed import examples


@examples(40)
@given(sizes=st.lists(st.integers(1, 7), max_size=8), limit=st.integers(1, 10))
def test_pages_together_contain_each_dead_letter_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    log = LocalLog.create(str(tmp_path_factory.mktemp("rejects")))
    expected = []
    for frame, size in enumerate(sizes):
        rejects = [log_pb2.Reject(index=index, reason="R", field=f"{frame}") for index in range(size)]
        expected += [(frame, index) for index in range(size)]
        log.append(log_pb2.RejectFrame(received_at_ms=frame, rejects=rejects).SerializeToString())
    found, token = [], ""
    while True:
        letters, token = read_page(log, token, limit)
        assert len(letters) <= limit
        found += [(letter.received_at.ToMilliseconds(), letter.reject.index) for letter in letters]
        if not token:
            break
        assert len(letters) == limit
    log.close()
    assert found == expected


def test_a_malformed_record_is_returned_as_bytes(tmp_path: Path) -> None:
    log = LocalLog.create(str(tmp_path / "rejects"))
    record = event_pb2.Record(item=event_pb2.CatalogItem(catalog="c", key="k"))
    bodies = [record.SerializeToString(), b"\xff\xff"]
    rejects = [log_pb2.Reject(index=index, record=body) for index, body in enumerate(bodies)]
    log.append(log_pb2.RejectFrame(rejects=rejects).SerializeToString())
    (first, second), _ = read_page(log, "", 10)
    assert (first.record, first.WhichOneof("body")) == (record, "record")
    assert (second.malformed, second.WhichOneof("body")) == (b"\xff\xff", "malformed")
    log.close()


@pytest.mark.parametrize("token", ["1", "1:2:3", "-1:0", "a:b", "99999999999999999999999:0"])
def test_an_invalid_page_token_is_rejected(tmp_path: Path, token: str) -> None:
    with pytest.raises(InvalidInput, match="page_token"):
        read_page(LocalLog.follow(str(tmp_path / "none")), token, 10)
