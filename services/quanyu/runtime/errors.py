"""The errors that services raise; only `runtime.rpc.interceptors` maps them to a gRPC status."""

from __future__ import annotations

from typing import ClassVar

import grpc

from quanyu.engine import (
    CancelledError,
    CoreError,
    CorruptError,
    DiskFullError,
    InvalidError,
    LockedError,
    OverBudgetError,
    UnsupportedError,
)


class DomainError(Exception):
    """An error that a caller can act on; the message says what is wrong, where, and what to do.

    `reason` (SCREAMING_SNAKE, stable) and `metadata` are for machines; they are sent as google.rpc ErrorInfo.
    """

    code: ClassVar[grpc.StatusCode]
    default_reason: ClassVar[str]

    def __init__(self, message: str, *, reason: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata = metadata


class InvalidInput(DomainError):
    """The request, file or setting is wrong."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    default_reason = "INVALID_INPUT"


class NotFound(DomainError):
    """The thing that the request names does not exist."""

    code = grpc.StatusCode.NOT_FOUND
    default_reason = "NOT_FOUND"


class Conflict(DomainError):
    """The key exists already, with other contents."""

    code = grpc.StatusCode.ALREADY_EXISTS
    default_reason = "CONFLICT"


class FailedPrecondition(DomainError):
    """The request is not possible in this state; the message says what has to happen first."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    default_reason = "FAILED_PRECONDITION"


class Unauthenticated(DomainError):
    """The call lacks the right token."""

    code = grpc.StatusCode.UNAUTHENTICATED
    default_reason = "UNAUTHENTICATED"


class Unsupported(DomainError):
    """The request is valid, but this version does not implement it."""

    code = grpc.StatusCode.UNIMPLEMENTED
    default_reason = "UNSUPPORTED"


class Unavailable(DomainError):
    """The same request may succeed later."""

    code = grpc.StatusCode.UNAVAILABLE
    default_reason = "UNAVAILABLE"


class ResourceExhausted(DomainError):
    """The request needs more memory, disk or streams than there is."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    default_reason = "RESOURCE_EXHAUSTED"


class Cancelled(DomainError):
    """The caller does not wait for the answer any more."""

    code = grpc.StatusCode.CANCELLED
    default_reason = "CANCELLED"


class DeadlineExceeded(DomainError):
    """The answer was not ready at the deadline of the call."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    default_reason = "DEADLINE_EXCEEDED"


class DataLoss(DomainError):
    """Files are damaged; the message names one."""

    code = grpc.StatusCode.DATA_LOSS
    default_reason = "DAMAGED_FILE"


def to_domain_error(error: CoreError) -> DomainError:
    """Returns the domain error that an error of the engine means to a caller."""
    message = str(error)
    match error:
        case InvalidError():
            return InvalidInput(message)
        case UnsupportedError():
            return Unsupported(message)
        case CorruptError():
            return DataLoss(message)
        case LockedError():
            return FailedPrecondition(message, reason="DATA_FOLDER_IN_USE")
        case OverBudgetError():
            return ResourceExhausted(message, reason="QUERY_BUDGET")
        case CancelledError():
            return Cancelled(message)
        case DiskFullError():
            return ResourceExhausted(f"{message}; free some space and try again", reason="DISK_FULL")
        case _:
            return Unavailable(message, reason="STORAGE")
