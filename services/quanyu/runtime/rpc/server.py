"""Builds a gRPC server: one thread pool, the interceptors, health and reflection, one port."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from quanyu.runtime.errors import FailedPrecondition
from quanyu.runtime.rpc.channels import MESSAGE_LIMITS
from quanyu.runtime.rpc.health import Health
from quanyu.runtime.rpc.interceptors import Errors, RequireToken
from quanyu.runtime.settings import Settings, read_setting_file

F = TypeVar("F", bound=Callable[..., Any])


def takes_bytes(method: F) -> F:
    """Marks a method of a servicer that takes and returns messages as bytes, so that only Rust decodes them."""
    method.takes_bytes = True  # type: ignore[attr-defined]
    return method


def register_service(server: grpc.Server, service: ServiceDescriptor, *servicers: object) -> None:
    """Adds every RPC of a service to the server, each from the servicer that has a method of its name.

    Raises AttributeError if no servicer has it.
    """
    handlers = {method.name: _handler(method, _behavior(method.name, servicers)) for method in service.methods}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))


def build_server(settings: Settings, health: Health) -> grpc.Server:
    """Returns a server that has only the health service, and is neither bound nor started."""
    token = settings.auth_token()
    server = grpc.server(
        ThreadPoolExecutor(settings.threads, thread_name_prefix="call"),
        # Errors is first, so it is outermost: it also turns the refusal of RequireToken into a status.
        interceptors=[Errors(), *([] if token is None else [RequireToken(token)])],
        # Otherwise two processes could share a port, and each would answer half of the calls.
        options=[*MESSAGE_LIMITS, ("grpc.so_reuseport", 0)],
    )
    health.register(server)
    return server


def add_reflection(server: grpc.Server, services: Iterable[str]) -> None:
    """Lets tools such as grpcurl list services and their messages."""
    names = [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)


def bind_port(server: grpc.Server, settings: Settings, port: int) -> int:
    """Binds the server; returns the port that it listens on once started.

    Raises FailedPrecondition if the port is taken, or the certificate cannot be used.
    """
    certificate = read_setting_file(settings.tls_certificate, "tls_certificate")
    key = read_setting_file(settings.tls_key, "tls_key")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        if certificate is None or key is None:
            return int(server.add_insecure_port(f"{host}:{port}"))
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        return int(server.add_secure_port(f"{host}:{port}", credentials))
    except RuntimeError as error:
        certified = "" if certificate is None else ", or QUANYU_TLS_CERTIFICATE and QUANYU_TLS_KEY are not a PEM pair"
        raise FailedPrecondition(
            f"cannot listen on {host}:{port}: it is in use, or not an address of this machine{certified}; "
            "stop what uses it, or choose another with --port or QUANYU_PORT",
            reason="PORT_IN_USE",
        ) from error


def local_address(settings: Settings, port: int) -> str:
    """Returns the address at which this process reaches itself: `localhost` with TLS, as certificates name hosts."""
    if settings.tls_certificate is not None:
        return f"localhost:{port}"
    loopback_of = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    host = loopback_of.get(settings.host, settings.host)
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _behavior(name: str, servicers: Iterable[object]) -> Callable[..., Any]:
    for servicer in servicers:
        if hasattr(servicer, name):
            behavior: Callable[..., Any] = getattr(servicer, name)
            return behavior
    raise AttributeError(f"no servicer has the RPC {name}")


def _handler(method: MethodDescriptor, behavior: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    if getattr(behavior, "takes_bytes", False):
        return make(behavior)
    return make(
        behavior, GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString
    )
