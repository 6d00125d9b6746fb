"""Sample workspaces: one without people for tests of rules, and one with three people in the real engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Catalog, Clock, EventType, Field, Library, check_and_bind
from quanyu.engine import InvalidError, InvalidPatternError, Limits
from quanyu.runtime.instants import timestamp
from quanyu.tagging.calls.request_context import RequestContext
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.rule_tests.in_memory_workspace import InMemoryWorkspace, build_in_memory_workspace
from quanyu.tagging.workspace import ReadableWorkspace

CATALOG = Catalog(
    event_types={"order": EventType("order", {"amount": Field("amount", "money", currency="CNY")})},
    attributes={"city": Field("city", "enum", values=("Beijing",))},
    channels=("pos",),
)
CLOCK = Clock(as_of_ms=1_700_000_000_000, zone="Asia/Shanghai")


class SampleWorkspace:
    """A workspace without people; its index rejects the pattern `(((` and the city Nowhere."""

    name = "shop"

    def __init__(self, library: Library) -> None:
        self.library = library
        self.index = self
        self.publishing = threading.Lock()

    def evaluation_at(
        self, as_of_ms: int, known_at: int | None = None, limits: Limits | None = None
    ) -> EvaluationContext:
        return EvaluationContext(CATALOG, self.library, CLOCK)

    def replace_library(self, library: Library) -> None:
        self.library = library

    def evaluate(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> None:
        if b"Nowhere" in plan:
            raise InvalidError("there is no such place")

    def verdicts(self, plan: bytes, persons: list[int]) -> None:
        if b"(((" in plan:
            error = InvalidPatternError("plan.roots[0].cond.value: invalid pattern")
            error.pattern, error.reason = "(((", "unclosed group"
            raise error


@dataclass
class EmptyIndex:
    """An answer and an index in which no set has members."""

    universe: int = 0
    epoch: tuple[int, int] = (0, 0)
    microseconds: int = 0

    def find(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> EmptyIndex:
        return self

    def matched(self, root: int) -> int:
        return 0

    def page(self, root: int, after: int, limit: int) -> list[int]:
        return []


# The workspace with people.

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
NAMES = ("ann", "bob", "cid")
SCHEMA = event_pb2.Schema(
    event_types=[
        event_pb2.EventType(
            name="order", properties=[event_pb2.Field(name="amount", type=event_pb2.TYPE_MONEY, currency="CNY")]
        )
    ],
    attributes=[event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM, values=["Beijing", "Harbin"])],
    settings=event_pb2.Settings(timezone="Asia/Shanghai"),
)


def _identifier(name: str) -> event_pb2.Identifier:
    return event_pb2.Identifier(namespace="card", value=name)


def _lives_in(name: str, city: str) -> event_pb2.Record:
    attributes = {"city": event_pb2.Value(text=city)}
    profile = event_pb2.ProfileUpdate(source="crm", id=name, identifiers=[_identifier(name)], attributes=attributes)
    return event_pb2.Record(profile=profile)


def _ordered(name: str, days_ago: int, amount: int) -> event_pb2.Record:
    event = event_pb2.Event(
        source="till",
        id=f"{name} {days_ago}",
        type="order",
        occurred_at=timestamp(NOW_MS - days_ago * DAY_MS),
        identifiers=[_identifier(name)],
        properties={"amount": event_pb2.Value(decimal=str(amount))},
    )
    return event_pb2.Record(event=event)


def in_memory_shop() -> InMemoryWorkspace:
    """Builds a shop: ann (Beijing) ordered for 30 and 20, bob (Harbin) for 5, and cid (Beijing) never."""
    records = [
        *(_lives_in(name, city) for name, city in zip(NAMES, ("Beijing", "Harbin", "Beijing"), strict=True)),
        _ordered("ann", 1, 30),
        _ordered("ann", 40, 20),
        _ordered("bob", 2, 5),
    ]
    shop = build_in_memory_workspace(SCHEMA.SerializeToString(), records)
    assert not shop.rejects
    return shop


class PopulatedShop(ReadableWorkspace):
    """The shop of `in_memory_shop` with published rules; `persons` has the OneID of each name."""

    def __init__(self, *texts: str) -> None:
        shop = in_memory_shop()
        super().__init__("shop", shop.index, Library())
        self.persons = {name: shop.person(_identifier(name)) for name in NAMES}
        for text in texts:
            self.publish(text)

    def publish(self, text: str) -> None:
        bound = check_and_bind(text, self.evaluation_at(NOW_MS).catalog, self.library)
        self.library = self.library.publish(bound)

    def evaluation(self, as_of_ms: int = NOW_MS) -> EvaluationContext:
        return self.evaluation_at(as_of_ms)

    def names_of(self, persons: list[int]) -> set[str]:
        return {name for name, person in self.persons.items() if person in persons}


class PublishingShop(PopulatedShop):
    """A populated shop into which `publish` of the registry can publish."""

    def __init__(self) -> None:
        super().__init__()
        self.publishing = threading.Lock()

    def replace_library(self, library: Library) -> None:
        self.library = library


class Call(grpc.ServicerContext):  # type: ignore[misc]
    """A call whose callbacks run when the test ends it."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self.callbacks.append(callback)
        return True

    def end(self) -> None:
        for callback in self.callbacks:
            callback()


Call.__abstractmethods__ = frozenset()


class OnlyWorkspace:
    """A lookup that finds one workspace under every name."""

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace

    def get(self, workspace: str, /) -> Any:
        return self._workspace


def request_context_of(workspace: Any) -> RequestContext[Any]:
    return RequestContext(OnlyWorkspace(workspace), query_bytes=2**30)
