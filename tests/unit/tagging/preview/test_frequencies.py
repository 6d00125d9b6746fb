"""Counts of values are kept for a while, and asked for together."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from quanyu.dsl import Catalog, Clock, Field, Library
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.preview.frequencies import KEPT_SECONDS, Frequencies

CATALOG = Catalog(attributes={"city": Field("city", "enum", values=("a", "b", "c"))})
EVALUATION = EvaluationContext(CATALOG, Library(), Clock(1_800_000_000_000, "UTC"))


class Index:
    """Every value is held by so many people as it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def find(self, plan: bytes, known_at: int | None, limits: Any) -> Any:
        self.asked.append(plan.count(b'"op":"in"'))
        return SimpleNamespace(matched=lambda root: 10 * len(self.asked) + root)


def test_each_value_is_counted_once_a_minute() -> None:
    seconds = [0.0]
    frequencies, index = Frequencies(lambda: seconds[0]), Index()

    def counted(values: Sequence[str]) -> Any:
        return frequencies.count_people(EVALUATION, index, "city", values)  # type: ignore[arg-type]

    assert counted(["a", "b"]) == {"a": 10, "b": 11}
    assert counted(["b", "c", "a"]) == {"b": 11, "c": 20, "a": 10}
    assert counted(["c"]) == {"c": 20}
    seconds[0] = KEPT_SECONDS + 1
    assert counted(["a"]) == {"a": 30}
    assert index.asked == [2, 1, 1]
