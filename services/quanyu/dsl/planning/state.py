"""Holds the state that all parts of a compilation share: resolved windows, the size of the plan, and shared nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from quanyu.dsl import syntax as s
from quanyu.dsl.errors import RuleError
from quanyu.dsl.planning.scope import PlanScope

MAX_NODES = 100_000

Built = TypeVar("Built")


class CompilationState:
    """Records windows, counts nodes and compiles each shared rule once for each instant at which it is evaluated."""

    def __init__(self) -> None:
        self.windows: dict[tuple[str, int | None, int | None], None] = {}
        self._shared: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self._size = 0

    def count_nodes(self, node: s.Node, number: int = 1) -> None:
        """Adds to the size of the plan. Raises RuleError (reason "limit") beyond MAX_NODES."""
        self._size += number
        if self._size > MAX_NODES:
            raise RuleError.at(
                node.span, "limit", f"the rule and the rules that it uses have more than {MAX_NODES} parts"
            )

    def share(self, node: s.Node, scope: PlanScope, key: tuple[Any, ...], build: Callable[[], Built]) -> Built:
        """Returns the result of `build`, which is called once for each key and instant.

        Its size counts at every use, because the plan message contains it each time.
        """
        key = (*key, type(scope.clock.as_of_ms), scope.clock.as_of_ms)
        if key in self._shared:
            found: Built
            found, size = self._shared[key]
            self.count_nodes(node, size)
            return found
        before = self._size
        built = build()
        self._shared[key] = built, self._size - before
        return built

    def record_window(self, text: str, start: int | None, end: int | None) -> None:
        """Records the instants of a window; every answer states them (T0)."""
        self.windows[text, start, end] = None
