"""A workspace with no people, for what is about rules only."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from quanyu.dsl import Catalog, Clock, EventType, Field, Library
from quanyu.engine import InvalidError, Limits
from quanyu.tagging.evaluation.context import EvaluationContext

CATALOG = Catalog(
    event_types={"order": EventType("order", {"amount": Field("amount", "money", currency="CNY")})},
    attributes={"city": Field("city", "enum", values=("Beijing",))},
    channels=("pos",),
)
CLOCK = Clock(as_of_ms=1_700_000_000_000, zone="Asia/Shanghai")


class SampleWorkspace:
    """A workspace whose index counts nobody, and refuses what holds `(((` or asks for Nowhere."""

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
            raise InvalidError("plan.roots[0].cond.value: invalid pattern\nerror: unclosed group")


@dataclass
class EmptyIndex:
    """An index that counts nobody."""

    universe: int = 0
    epoch: tuple[int, int] = (0, 0)
    microseconds: int = 0

    def find(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> EmptyIndex:
        return self

    def matched(self, root: int) -> int:
        return 0

    def page(self, root: int, after: int, limit: int) -> list[int]:
        return []
