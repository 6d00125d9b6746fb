"""The stream of requests against a server that counts records by key in memory."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from quanyu.api.event.v1.event_pb2 import Event, Record
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.importer.stream import IN_FLIGHT, send
from quanyu.runtime.errors import Unavailable
from tests.unit.importer.ingestion_server import Server


def request(*ids: str) -> bytes:
    records = [Record(event=Event(id=name)) for name in ids]
    return ingestion_pb2.IngestRequest(workspace="w", records=records).SerializeToString()


def test_every_request_is_answered_in_order(served: tuple[Server, grpc.Channel]) -> None:
    _, channel = served
    answers = list(send(channel, (request(f"{n}", f"{n}", "same") for n in range(3 * IN_FLIGHT))))
    assert [answer.sequence for answer in answers] == list(range(1, 3 * IN_FLIGHT + 1))
    assert [answer.accepted for answer in answers] == [2] + [1] * (3 * IN_FLIGHT - 1)


def test_a_stream_without_requests_has_no_answers(served: tuple[Server, grpc.Channel]) -> None:
    assert list(send(served[1], iter([]))) == []


def test_only_a_few_requests_wait_in_memory(served: tuple[Server, grpc.Channel]) -> None:
    server, channel = served
    server.waits = True
    taken: list[int] = []

    def requests() -> Iterator[bytes]:
        for n in range(5 * IN_FLIGHT):
            taken.append(n)
            yield request(f"{n}")

    answers = send(channel, requests())
    for answered in range(1, 5 * IN_FLIGHT + 1):
        server.answers.release()
        next(answers)
        # One more request is taken before the stream waits.
        assert len(taken) <= answered + IN_FLIGHT + 1
    assert list(answers) == []


def test_a_row_that_cannot_be_encoded_ends_the_import_after_the_rows_before_it(
    served: tuple[Server, grpc.Channel],
) -> None:
    server, channel = served

    def requests() -> Iterator[bytes]:
        yield request("a")
        yield request("b")
        raise ValueError("row 2")

    answers = send(channel, requests())
    assert [next(answers).sequence, next(answers).sequence] == [1, 2]
    with pytest.raises(ValueError, match="row 2"):
        next(answers)
    assert server.keys == {"a", "b"}


def test_the_error_of_a_server_is_quoted(served: tuple[Server, grpc.Channel]) -> None:
    server, channel = served
    server.fails_at = 3
    answers = send(channel, (request(f"{n}") for n in range(100)))
    with pytest.raises(Unavailable, match="the disk is full"):
        list(answers)


def test_a_missing_server_is_an_error() -> None:
    with grpc.insecure_channel("127.0.0.1:1") as channel, pytest.raises(Unavailable, match="stopped taking records"):
        list(send(channel, iter([request("a")])))
