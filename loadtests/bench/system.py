"""What every system that is measured can do."""

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

# Each system may use so many threads, and processors.
THREADS = 2
# Numbers of people, ascending.
People = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Place:
    """Its class, the distribution that it comes with, and the modules that decide what it stores."""

    module: str
    name: str
    distribution: str
    stored_by: tuple[str, ...]


def _peer(module: str, name: str, distribution: str) -> _Place:
    module = f"loadtests.bench.peers.{module}"
    return _Place(module, name, distribution, (module,))


# In the order of the rounds.
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
    """The system has no answer to a question, for the reason given."""


class System(Protocol):
    """Made for a world and a folder. `load`, then `maintain`, fill the folder; `open`, in a new process, reads it."""

    def load(self, watch: Watch) -> None:
        """All rows of the files, until questions can be asked about them."""

    def maintain(self) -> None:
        """What maintained questions are answered from."""

    def open(self) -> None: ...

    def ask(self, question: Question) -> list[int]:
        """How many people, in each of the question's parts. NotAnswered."""

    def members(self, question: Question, parts: Sequence[int]) -> list[People]:
        """Who they are in some of the parts."""


def make(system: str, world: World, folder: Path) -> System:
    place = _PLACES[system]
    made: System = getattr(import_module(place.module), place.name)(world, folder)
    return made


def fingerprint(system: str) -> str:
    """Changes when what `load` and `maintain` write would. The system's libraries stay unloaded."""
    place = _PLACES[system]
    digest = hashlib.sha256(version(place.distribution).encode())
    for module in place.stored_by:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:12]
