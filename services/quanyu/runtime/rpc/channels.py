"""Opens gRPC channels to services in this process or another, and turns their errors into domain errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from quanyu.runtime.errors import DomainError, Unavailable
from quanyu.runtime.rpc.interceptors import ERROR_DOMAIN, SendToken
from quanyu.runtime.settings import Settings, read_setting_file

# One message holds an audience or a batch of 64 MiB, and up to 1 MiB of other fields.
MAX_MESSAGE_BYTES = 64 * 2**20
MESSAGE_LIMITS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + 2**20),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES + 2**20),
)


def open_channel(address: str, *, token: str | None = None, authority: bytes | None = None) -> grpc.Channel:
    """Opens a channel to `host:port`, with TLS if `authority` (a PEM certificate) is given."""
    if authority is None:
        channel = grpc.insecure_channel(address, options=MESSAGE_LIMITS)
    else:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authority), options=MESSAGE_LIMITS)
    return channel if token is None else grpc.intercept_channel(channel, SendToken(token))


class Channels:
    """Shares one channel per address, opened at first use; `local` services are reached at `local_address`."""

    def __init__(self, settings: Settings, local: frozenset[str], local_address: str) -> None:
        self._addresses = dict.fromkeys(local, local_address)
        self._settings = settings
        self._token = settings.auth_token()
        self._authority = read_setting_file(settings.tls_authority or settings.tls_certificate, "tls_authority")
        self._open: dict[str, grpc.Channel] = {}
        self._guard = threading.Lock()

    def to(self, service: str) -> grpc.Channel:
        """Returns the channel to ingestion, identity, tagging or delivery."""
        address = self._addresses.get(service) or self._settings.address_of(service)
        with self._guard:
            if address not in self._open:
                self._open[address] = open_channel(address, token=self._token, authority=self._authority)
            return self._open[address]

    def close(self) -> None:
        with self._guard:
            for channel in self._open.values():
                channel.close()
            self._open.clear()


@contextmanager
def domain_errors_of(service: str) -> Iterator[None]:
    """Turns an error that `service` answers into the domain error that it raised there.

    Reason and metadata are kept; the message names the service. Raises Unavailable for a call that may work later.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise _domain_error(service, error) from error


def _domain_error(service: str, error: grpc.RpcError) -> DomainError:
    code, details, info = error.code(), error.details(), _error_info(error)
    if code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
        raised: DomainError = Unavailable(f"the {service} service did not answer in time; try again")
    else:
        known = {kind.code: kind for kind in DomainError.__subclasses__()}
        if code in known:
            raised = known[code](f"{service}: {details}")
        else:
            raised = Unavailable(f"the {service} service failed ({code.name}): {details}")
    if info is not None:
        raised.reason = info.reason
        raised.metadata = dict(info.metadata)
    return raised


def _error_info(error: grpc.RpcError) -> error_details_pb2.ErrorInfo | None:
    """Returns the ErrorInfo that a Quanyu service attached; None if the call failed before one answered."""
    # Every error that a call raises is the call itself.
    status = rpc_status.from_call(cast(grpc.Call, error))
    info = error_details_pb2.ErrorInfo()
    for detail in () if status is None else status.details:
        if detail.Unpack(info) and info.domain == ERROR_DOMAIN:
            return info
    return None
