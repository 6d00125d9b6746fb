"""The common part of the two SQL engines: each question has a query that returns its people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from loadtests.bench.questions import SEGMENTS, Question, Segment
from loadtests.bench.system import NotAnswered, People
from loadtests.bench.world import AS_OF
from loadtests.bench.world.habits import CHANNELS


class SqlEngine(ABC):
    """A SQL engine.

    `WHO` maps a question to a query with the column `person`, or `part` and `person` if the question has many parts.
    """

    WHO: ClassVar[Mapping[str, str]]

    def ask(self, question: Question) -> list[int]:
        query = self._query(question)
        if question.shape == "people":
            return [int(self._columns(f"SELECT count(*) FROM ({query})")[0][0])]
        if question.shape == "bytes":
            return [self._roaring(query)[1]]
        part, count = self._columns(f"SELECT part, count(*) FROM ({query}) GROUP BY part")
        counts = np.zeros(question.parts, dtype=np.int64)
        counts[part] = count
        return [int(n) for n in counts]

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        query = self._query(question)
        found = []
        for part in parts:
            where = "" if question.parts == 1 else f"WHERE part = {part}"
            (persons,) = self._columns(f"SELECT person FROM ({query}) {where}")
            found.append(np.sort(persons.astype(np.uint32)))
        return found

    def _query(self, question: Question) -> str:
        if question.name not in self.WHO:
            raise NotAnswered("no query")
        return self.WHO[question.name]

    @abstractmethod
    def _columns(self, sql: str) -> tuple[npt.NDArray[Any], ...]:
        """Runs a query and returns its columns."""

    @abstractmethod
    def _roaring(self, sql: str) -> tuple[bytes, int]:
        """Returns the people of a query as a Roaring bitmap, and their number."""


def _row(number: int, segment: Segment) -> tuple[int, str, str, int, str, str]:
    cuts = (AS_OF - timedelta(days=segment.days + ago) for ago in (0, 1))
    now, then = (f"{instant:%Y-%m-%d %H:%M:%S}" for instant in cuts)
    return number, now, then, 1 << CHANNELS.index(segment.channel), segment.city, segment.level


# The values of an INSERT: number, touched before (now, and a day ago), bits of channels, city, level.
SEGMENT_VALUES = ", ".join(str(_row(number, segment)) for number, segment in enumerate(SEGMENTS))
