"""Reads the dead-letter log: rejected records and the reasons."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from quanyu.api.event.v1 import log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2 as pb
from quanyu.engine import LocalLog
from quanyu.runtime.instants import timestamp
from quanyu.runtime.rpc.paging import parse_page_token
from quanyu.runtime.storage.event_log import read_frames


def read_page(rejects: LocalLog, token: str, limit: int) -> tuple[list[pb.DeadLetter], str]:
    """Returns at most `limit` dead letters, oldest first, and the token of the next page ('' at the end).

    A token is `offset:index`.
    """
    first_offset, first_index = parse_page_token(token, 2)
    letters: list[pb.DeadLetter] = []
    for offset, frame in read_frames(rejects, first_offset):
        found = log_pb2.RejectFrame.FromString(frame)
        for index in range(first_index if offset == first_offset else 0, len(found.rejects)):
            if len(letters) == limit:
                return letters, f"{offset}:{index}"
            letters.append(_dead_letter(found.received_at_ms, found.rejects[index]))
    return letters, ""


def _dead_letter(received_at_ms: int, reject: log_pb2.Reject) -> pb.DeadLetter:
    letter = pb.DeadLetter(
        received_at=timestamp(received_at_ms),
        reject=pb.RejectedRecord(index=reject.index, reason=reject.reason, field=reject.field, message=reject.message),
    )
    try:
        letter.record.ParseFromString(reject.record)
    except DecodeError:
        letter.malformed = reject.record
    return letter
