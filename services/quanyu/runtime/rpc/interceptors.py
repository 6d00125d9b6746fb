"""Interceptors of every call: they check the token, decode requests, and turn errors into a status."""

from __future__ import annotations

import hmac
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from quanyu.engine import CoreError
from quanyu.runtime.errors import DomainError, InvalidInput, Unauthenticated, to_domain_error

log = logging.getLogger(__name__)

# A status is sent twice in HTTP headers, percent-encoded. Clients refuse headers above 8 KiB, and then lose the error.
MESSAGE_BYTES = 1_200
METADATA_BYTES = 400
# The ErrorInfo of every error of a service names this domain.
ERROR_DOMAIN = "quanyu"

Behavior = Callable[[Any, grpc.ServicerContext], Any]


class Errors(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Turns domain errors, engine errors and malformed requests into a status with ErrorInfo; others into INTERNAL."""

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        return None if handler is None else _guarded(handler, details.method)


class RequireToken(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Refuses calls without `authorization: Bearer <token>`, except health checks: probes have no token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        if handler is None or details.method.startswith("/grpc.health."):
            return handler
        shown = dict(details.invocation_metadata).get("authorization", "")
        if hmac.compare_digest(str(shown).encode(), self._expected):
            return handler
        return _replaced(handler, _refuse)


class SendToken(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Sends the token with every call of a channel."""

    def __init__(self, token: str) -> None:
        self._header = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return continuation(self._with_token(client_call_details), request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return continuation(self._with_token(client_call_details), request_iterator)

    def _with_token(self, details: Any) -> Any:
        return details._replace(metadata=[*(details.metadata or ()), self._header])


def _refuse(_request: Any, _context: grpc.ServicerContext) -> NoReturn:
    raise Unauthenticated(
        "send the metadata `authorization: Bearer <token>`, the token of this server's QUANYU_AUTH_TOKEN_FILE"
    )


def _guarded(handler: Any, method: str) -> Any:
    """Returns the handler with decoding inside: gRPC itself would answer a malformed request with INTERNAL."""
    decode = handler.request_deserializer or (lambda request: request)
    behavior = _behavior(handler)

    def respond(request: Any, context: grpc.ServicerContext) -> Any:
        with _answering(context, method):
            return behavior(_decoded(request, decode, handler.request_streaming), context)

    def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with _answering(context, method):
            yield from behavior(_decoded(request, decode, handler.request_streaming), context)

    return _replaced(handler, stream if handler.response_streaming else respond, decodes=False)


def _decoded(request: Any, decode: Callable[[Any], Any], streaming: bool) -> Any:
    return (_decode(item, decode) for item in request) if streaming else _decode(request, decode)


def _decode(request: Any, decode: Callable[[Any], Any]) -> Any:
    try:
        return decode(request)
    except DecodeError as error:
        raise InvalidInput(
            f"the request is not the message that this call takes ({error}); regenerate the client from the protos",
            reason="MALFORMED_REQUEST",
        ) from error


@contextmanager
def _answering(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        _abort(context, error)
    except CoreError as error:
        _abort(context, to_domain_error(error))
    except Exception as error:
        if not context.is_active():
            return  # The caller has gone: there is nobody left to tell.
        correlation = uuid.uuid4().hex
        log.exception("%s failed unexpectedly", method, extra={"correlation_id": correlation})
        message = f"internal error; its details are in the server's log under correlation id {correlation}"
        _abort_with(context, grpc.StatusCode.INTERNAL, message, "INTERNAL", {"correlation_id": correlation}, error)


def _abort(context: grpc.ServicerContext, error: DomainError) -> NoReturn:
    _abort_with(context, error.code, error.message, error.reason, error.metadata, error)


def _abort_with(
    context: grpc.ServicerContext,
    code: grpc.StatusCode,
    message: str,
    reason: str,
    metadata: dict[str, str],
    cause: BaseException,
) -> NoReturn:
    shown = {key: _cut(value, METADATA_BYTES) for key, value in metadata.items()}
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=ERROR_DOMAIN, metadata=shown))
    cut = _cut(message, MESSAGE_BYTES)
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=cut, details=[detail])
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status returned") from cause


def _cut(text: str, most: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= most else encoded[:most].decode(errors="ignore") + " ..."


def _behavior(handler: Any) -> Behavior:
    """Returns the function of a handler: only one of the four is set."""
    found = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    return found  # type: ignore[no-any-return]


def _replaced(handler: Any, behavior: Behavior, *, decodes: bool = True) -> Any:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(behavior, handler.request_deserializer if decodes else None, handler.response_serializer)
