"""Sends requests by one IngestStream call, several at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.runtime.errors import DataLoss, Unavailable

# Keeps both client and server busy, and fits in memory: a request is up to 4 MiB.
IN_FLIGHT = 8
_METHOD = "/quanyu.api.ingestion.v1.IngestionService/IngestStream"


def send(channel: grpc.Channel, requests: Iterator[bytes]) -> Iterator[ingestion_pb2.IngestResponse]:
    """Yields one answer per request, in order; an answered request is durable.

    If `requests` raises, the requests before are still sent and answered, and then the error is raised here.
    Raises Unavailable if the call breaks.
    """
    feed = _Feed(requests)
    call = channel.stream_stream(_METHOD, None, ingestion_pb2.IngestResponse.FromString)(iter(feed))
    answered = 0
    try:
        for response in call:
            answered += 1
            if response.sequence != answered:
                raise DataLoss(
                    f"the server answered request {response.sequence} instead of {answered}", reason="ANSWER_ORDER"
                )
            feed.answered()
            yield response
    except grpc.RpcError as error:
        raise Unavailable(f"the server stopped taking records: {_describe(error)}", reason="INGEST_STOPPED") from error
    finally:
        feed.stop()
        call.cancel()  # type: ignore[no-untyped-call]
    if feed.failure is not None:
        raise feed.failure


class _Feed:
    """Yields requests with sequence numbers, as fast as answers come back; gRPC reads it on its own thread."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._free = threading.Semaphore(IN_FLIGHT)
        self._stopped = False
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for sequence, request in enumerate(self._requests, start=1):
                self._free.acquire()
                if self._stopped:
                    return
                # Fields of a message may be in any order, so the number can follow the encoded rest.
                yield request + ingestion_pb2.IngestRequest(sequence=sequence).SerializeToString()
        except Exception as error:
            # gRPC would cancel the call. Instead the stream ends as if complete, and `send` raises the error.
            self.failure = error

    def answered(self) -> None:
        self._free.release()

    def stop(self) -> None:
        self._stopped = True
        self._free.release()


def _describe(error: grpc.RpcError) -> str:
    details = getattr(error, "details", lambda: None)()
    code = getattr(error, "code", lambda: None)()
    advice = "; is `quanyu serve` running at --server?" if code == grpc.StatusCode.UNAVAILABLE else ""
    return f"{details or error}" + (f" ({code.name})" if code is not None else "") + advice
