"""Channels to the services, in this process or another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from quanyu.runtime.errors import DomainError, Unavailable
from quanyu.runtime.rpc.interceptors import ShowToken
from quanyu.runtime.settings import Settings, read_setting_file

# An audience or a batch in one message: 64 MiB, and room for what goes with it.
MAX_MESSAGE_BYTES = 64 * 2**20
MESSAGE_LIMITS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + 2**20),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES + 2**20),
)


def open_channel(address: str, *, token: str | None = None, authority: bytes | None = None) -> grpc.Channel:
    """A channel to `host:port`: TLS if an authority's PEM certificate is given, showing the token if there is one."""
    if authority is None:
        channel = grpc.insecure_channel(address, options=MESSAGE_LIMITS)
    else:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authority), options=MESSAGE_LIMITS)
    return channel if token is None else grpc.intercept_channel(channel, ShowToken(token))


class Channels:
    """One channel per service, opened at first use and shared. `local` services are reached at `local_address`."""

    def __init__(self, settings: Settings, local: frozenset[str], local_address: str) -> None:
        self._addresses = dict.fromkeys(local, local_address)
        self._settings = settings
        self._token = settings.auth_token()
        self._authority = read_setting_file(settings.tls_authority or settings.tls_certificate, "tls_authority")
        self._open: dict[str, grpc.Channel] = {}
        self._guard = threading.Lock()

    def to(self, service: str) -> grpc.Channel:
        """`service`: ingestion, identity, tagging or delivery."""
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
    """Errors come as the domain errors they are in the other service; Unavailable is worth trying again."""
    try:
        yield
    except grpc.RpcError as error:
        raise _domain_error(service, error) from error


def _domain_error(service: str, error: grpc.RpcError) -> DomainError:
    code, details = error.code(), error.details()
    if code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
        return Unavailable(f"the {service} service did not answer in time; try again")
    known = {kind.code: kind for kind in DomainError.__subclasses__()}
    if code in known:
        return known[code](f"{service}: {details}")
    return Unavailable(f"the {service} service failed ({code.name}): {details}")
