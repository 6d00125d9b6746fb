"""Counts the people who have each value, for completion; counts are cached for a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from quanyu.dsl import compile_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.keywords import needs_backquotes
from quanyu.engine import Index
from quanyu.tagging.evaluation.context import EvaluationContext

KEPT_SECONDS = 60.0


class Frequencies:
    """The cached counts of one workspace.

    Counts may be a minute old: the index changes with every event, so a cache of its newest version would be useless.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], int] = {}
        self._since = now()

    def count_people(
        self, evaluation: EvaluationContext, index: Index, name: str, values: Sequence[str]
    ) -> Mapping[str, int]:
        """Returns how many people have each value of an attribute (or of `channel`), or have it in their set."""
        with self._lock:
            if self._now() - self._since > KEPT_SECONDS:
                self._kept, self._since = {}, self._now()
            missing = [value for value in values if (name, value) not in self._kept]
            if missing:
                counts = _count(evaluation, index, name, missing)
                self._kept |= {(name, value): count for value, count in zip(missing, counts, strict=True)}
            return {value: self._kept[name, value] for value in values}


def _count(evaluation: EvaluationContext, index: Index, name: str, values: Sequence[str]) -> list[int]:
    """Counts all values in one query, with a root for each value."""
    path = s.Path(s.Ref(name, quoted=needs_backquotes(name)))
    held = [s.InList(path, (s.Text(value),)) for value in values]
    compiled = [compile_condition(cond, evaluation.library, evaluation.catalog, evaluation.clock) for cond in held]
    answer = evaluation.find(index, compiled)
    return [answer.matched(root) for root in range(len(values))]
