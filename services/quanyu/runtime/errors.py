"""The errors that services raise. `runtime.rpc.interceptors` maps them to a gRPC status, once, for all."""

from __future__ import annotations

from typing import ClassVar

import grpc

from quanyu.engine import (
    CancelledError,
    CoreError,
    CorruptError,
    InvalidError,
    LockedError,
    OverBudgetError,
    StorageError,
    UnsupportedError,
)


class DomainError(Exception):
    """Something a caller can act on. The message says what is wrong, where, and what to do.

    `reason` (SCREAMING_SNAKE, stable) and `metadata` are for machines: they travel as google.rpc ErrorInfo.
    """

    code: ClassVar[grpc.StatusCode]
    default_reason: ClassVar[str]

    def __init__(self, message: str, *, reason: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata = metadata


class InvalidInput(DomainError):
    code = grpc.StatusCode.INVALID_ARGUMENT
    default_reason = "INVALID_INPUT"


class NotFound(DomainError):
    code = grpc.StatusCode.NOT_FOUND
    default_reason = "NOT_FOUND"


class Conflict(DomainError):
    """The same key with other contents."""

    code = grpc.StatusCode.ALREADY_EXISTS
    default_reason = "CONFLICT"


class FailedPrecondition(DomainError):
    """Not in this state; the message says what has to happen first."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    default_reason = "FAILED_PRECONDITION"


class Unauthenticated(DomainError):
    code = grpc.StatusCode.UNAUTHENTICATED
    default_reason = "UNAUTHENTICATED"


class Unsupported(DomainError):
    """Understood, but not made yet."""

    code = grpc.StatusCode.UNIMPLEMENTED
    default_reason = "UNSUPPORTED"


class Unavailable(DomainError):
    """Worth trying again later."""

    code = grpc.StatusCode.UNAVAILABLE
    default_reason = "UNAVAILABLE"


class ResourceExhausted(DomainError):
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    default_reason = "RESOURCE_EXHAUSTED"


class Cancelled(DomainError):
    """Nobody waits for the answer any more."""

    code = grpc.StatusCode.CANCELLED
    default_reason = "CANCELLED"


class DeadlineExceeded(DomainError):
    code = grpc.StatusCode.DEADLINE_EXCEEDED
    default_reason = "DEADLINE_EXCEEDED"


class DataLoss(DomainError):
    """Files are damaged; the message names one."""

    code = grpc.StatusCode.DATA_LOSS
    default_reason = "DAMAGED_FILE"


def to_domain_error(error: CoreError) -> DomainError:
    """What an error of the Rust core means to a caller."""
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
        case StorageError() if "No space left" in message:
            return ResourceExhausted(f"{message}; free some space and try again", reason="DISK_FULL")
        case _:
            return Unavailable(message, reason="STORAGE")
