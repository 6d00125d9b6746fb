"""Calls within the process: responses, domain errors and callbacks as those of a server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from quanyu.engine import InvalidError
from quanyu.runtime.errors import FailedPrecondition, InvalidInput, NotFound, Unavailable
from quanyu.runtime.rpc.local_call import LocalCall, call_locally


class Servicer:
    """Answers with the given behavior, and keeps the context of its last call."""

    def __init__(self, behavior: Callable[[Any, grpc.ServicerContext], Any]) -> None:
        self._behavior = behavior
        self.context: grpc.ServicerContext | None = None

    def Answer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.context = context
        return self._behavior(request, context)


class Other:
    def Count(self, request: str, context: grpc.ServicerContext) -> int:
        return len(request)


def raising(error: Exception) -> Callable[[Any, grpc.ServicerContext], Any]:
    def behavior(request: Any, context: grpc.ServicerContext) -> Any:
        raise error

    return behavior


def test_the_servicer_that_has_the_method_answers() -> None:
    servicers = [Servicer(lambda request, context: request.upper()), Other()]
    assert call_locally(servicers, "Answer", "yes") == "YES"
    assert call_locally(servicers, "Count", "yes") == 3
    with pytest.raises(AttributeError, match="Sing"):
        call_locally(servicers, "Sing", "la")


def test_a_call_is_active_until_it_is_answered() -> None:
    servicer = Servicer(lambda request, context: context.is_active())
    assert call_locally([servicer], "Answer", "")
    assert servicer.context is not None
    assert not servicer.context.is_active()
    assert servicer.context.time_remaining() is None
    assert not servicer.context.add_callback(lambda: pytest.fail("the call had ended"))


@pytest.mark.parametrize("behavior", [lambda request, context: "done", raising(NotFound("no such rule"))])
def test_callbacks_run_once_when_the_call_ends(behavior: Callable[[Any, grpc.ServicerContext], Any]) -> None:
    ended: list[str] = []

    def registering(request: Any, context: grpc.ServicerContext) -> Any:
        for name in ("first", "second"):
            assert context.add_callback(lambda name=name: ended.append(name))  # type: ignore[misc]
        assert ended == []
        return behavior(request, context)

    servicer = Servicer(registering)
    with contextlib.suppress(NotFound):
        call_locally([servicer], "Answer", "")
    assert ended == ["first", "second"]
    assert servicer.context is not None
    servicer.context.cancel()
    assert ended == ["first", "second"]


def test_errors_are_the_domain_errors_of_a_server() -> None:
    with pytest.raises(InvalidInput, match="node 3"):
        call_locally([Servicer(raising(InvalidError("node 3: wrong")))], "Answer", "")
    wrong = InvalidInput("text: wrong", reason="RULE_SYNTAX")
    with pytest.raises(InvalidInput) as caught:
        call_locally([Servicer(raising(wrong))], "Answer", "")
    assert caught.value is wrong


def test_abort_raises_the_domain_error_of_the_code() -> None:
    with pytest.raises(FailedPrecondition, match="not yet"):
        LocalCall().abort(grpc.StatusCode.FAILED_PRECONDITION, "not yet")
    with pytest.raises(Unavailable, match="lost"):
        LocalCall().abort(grpc.StatusCode.ABORTED, "lost")
