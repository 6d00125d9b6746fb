"""The interface of every measured system, and the list of systems."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from loadtests.bench.questions import Question
from loadtests.bench.world import Watch, World

# The number of threads and processors that each system can use.
THREADS = 2
# Numbers of people, in ascending order.
People = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Place:
    """The class of a system, the distribution that contains it, and the modules that determine what it stores."""

    module: str
    name: str
    distribution: str
    stored_by: tuple[str, ...]


def _peer(module: str, name: str, distribution: str) -> _Place:
    module = f"loadtests.bench.peers.{module}"
    return _Place(module, name, distribution, (module,))


# The order is that of the rounds.
_PLACES: Mapping[str, _Place] = {
    "quanyu": _Place(
        *("loadtests.bench.quanyu.system", "Quanyu", "quanyu"),
        ("quanyu._core", *(f"loadtests.bench.{name}" for name in ("quanyu.loading", "quanyu.declared", "questions"))),
    ),
    "clickhouse": _peer("clickhouse", "ClickHouse", "chdb-core"),
    "duckdb": _peer("duckdb", "DuckDB", "duckdb"),
    "polars": _peer("polars", "Polars", "polars"),
    "pyroaring": _peer("pyroaring", "Pyroaring", "pyroaring"),
}
SYSTEMS = tuple(_PLACES)


class NotAnswered(Exception):
    """The system cannot answer a question. The message gives the reason."""


class System(Protocol):
    """A system for one data set and one folder.

    `load` and then `maintain` fill the folder; `open` reads it in a new process.
    """

    def load(self, watch: Watch) -> None:
        """Loads all rows of the files. Returns when queries see them."""

    def maintain(self) -> None:
        """Builds the data that maintained questions use."""

    def open(self) -> None: ...

    def ask(self, question: Question) -> list[int]:
        """Returns the number of people in each part of a question. Raises NotAnswered."""

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        """Returns the people in some of the parts."""


def make(system: str, world: World, folder: Path) -> System:
    place = _PLACES[system]
    made: System = getattr(import_module(place.module), place.name)(world, folder)
    return made


def fingerprint(system: str) -> str:
    """Returns a digest that changes whenever `load` or `maintain` would write other data. Imports no system."""
    place = _PLACES[system]
    digest = hashlib.sha256(version(place.distribution).encode())
    for module in place.stored_by:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:12]
