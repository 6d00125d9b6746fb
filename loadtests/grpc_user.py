"""A locust user that calls gRPC services. It reports the time of every call under the name of its method."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc
import grpc.experimental.gevent
from locust import User

# Must run before the first channel is created, so that the threads of gRPC yield to gevent.
grpc.experimental.gevent.init_gevent()


class TimingInterceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Reports each unary call to locust: milliseconds, size of the response in bytes, and the error if it failed."""

    def __init__(self, request_event: Any) -> None:
        self.request_event = request_event

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        started = time.perf_counter()
        call = continuation(details, request)
        error = call.exception()
        self.request_event.fire(
            request_type="grpc",
            name=details.method.rpartition(".")[2],
            response_time=(time.perf_counter() - started) * 1000,
            response_length=0 if error else call.result().ByteSize(),
            exception=error,
            context={},
        )
        return call


class GrpcUser(User):  # type: ignore[misc]
    """A user of one service. `host` is the `address:port` of a server that runs it."""

    abstract = True
    workspace = "loadtest"

    def on_start(self) -> None:
        address = (self.host or "127.0.0.1:7400").removeprefix("grpc://")
        self.channel = grpc.intercept_channel(
            grpc.insecure_channel(address), TimingInterceptor(self.environment.events.request)
        )

    def on_stop(self) -> None:
        self.channel.close()
