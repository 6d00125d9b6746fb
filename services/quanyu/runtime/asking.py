"""Errors of another service's calls, as the domain errors that they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from quanyu.runtime.errors import DomainError, Unavailable


@contextmanager
def asking(service: str) -> Iterator[None]:
    """Unavailable is worth trying again."""
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
