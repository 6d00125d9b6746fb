"""Calls a servicer's method in this process, without a server or a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import grpc

from quanyu.engine import CoreError
from quanyu.runtime.errors import DomainError, Unavailable, to_domain_error


class LocalCall(grpc.ServicerContext):
    """The context of a call that this process makes to itself: it has no deadline, no metadata and no peer."""

    def __init__(self) -> None:
        self._is_active = True
        self._callbacks: list[Callable[[], None]] = []

    def is_active(self) -> bool:
        return self._is_active

    def time_remaining(self) -> None:  # type: ignore[override]
        return None

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Calls `callback` when the call ends; returns False if it has ended already."""
        if self._is_active:
            self._callbacks.append(callback)
        return self._is_active

    def cancel(self) -> None:
        """Ends the call: runs the callbacks, each once."""
        self._is_active = False
        while self._callbacks:
            self._callbacks.pop(0)()

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Raises the domain error of `code`; Unavailable for a code that has none."""
        kinds = {kind.code: kind for kind in DomainError.__subclasses__()}
        raise kinds.get(code, Unavailable)(details)

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        self.abort(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Does nothing: an error is raised, and a response has no code."""

    def set_details(self, details: str) -> None:
        """Does nothing: an error is raised, and a response has no details."""

    def invocation_metadata(self) -> tuple[()]:
        return ()

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Does nothing: nobody receives metadata."""

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Does nothing: nobody receives metadata."""

    def peer(self) -> str:
        return "local"

    def peer_identities(self) -> None:
        return None

    def peer_identity_key(self) -> None:
        return None

    def auth_context(self) -> dict[str, Any]:
        return {}


def call_locally(servicers: Iterable[object], method: str, request: Any) -> Any:
    """Returns the response of `method`, which one of the servicers has; AttributeError if none has.

    Raises the DomainError that a caller of a server would get. The call ends when this returns.
    """
    behavior = next((getattr(servicer, method) for servicer in servicers if hasattr(servicer, method)), None)
    if behavior is None:
        raise AttributeError(f"no servicer has the RPC {method}")
    call = LocalCall()
    try:
        return behavior(request, call)
    except CoreError as error:
        raise to_domain_error(error) from error
    finally:
        call.cancel()
