"""Counts of values come from one query and are cached for a minute."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from quanyu.dsl import Catalog, Clock, Field, Library
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.preview.frequencies import KEPT_SECONDS, Frequencies

CATALOG = Catalog(attributes={"city": Field("city", "enum", values=("a", "b", "c"))})
EVALUATION = EvaluationContext(CATALOG, Library(), Clock(1_800_000_000_000, "UTC"))


class Index:
    """An index whose counts differ in each query, and that records the number of values in each query."""

    def __init__(self) -> None:
        self.queries: list[int] = []

    def find(self, plan: bytes, known_at: int | None, limits: Any) -> Any:
        self.queries.append(plan.count(b'"op":"in"'))
        return SimpleNamespace(matched=lambda root: 10 * len(self.queries) + root)


def test_each_value_is_counted_at_most_once_a_minute() -> None:
    seconds = [0.0]
    frequencies, index = Frequencies(lambda: seconds[0]), Index()

    def count(values: Sequence[str]) -> Any:
        return frequencies.count_people(EVALUATION, index, "city", values)  # type: ignore[arg-type]

    assert count(["a", "b"]) == {"a": 10, "b": 11}
    assert count(["b", "c", "a"]) == {"b": 11, "c": 20, "a": 10}
    assert count(["c"]) == {"c": 20}
    seconds[0] = KEPT_SECONDS + 1
    assert count(["a"]) == {"a": 30}
    assert index.queries == [2, 1, 1]
