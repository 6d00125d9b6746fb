"""The results of a run, in the form that `JSON=FILE` writes."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtests.bench.quanyu.served import Served
from loadtests.bench.questions import Question
from loadtests.bench.system import SYSTEMS, THREADS
from loadtests.bench.timing import Times
from loadtests.bench.world import Scale

# Quanyu is compared with the fastest of these engines, which answer every question.
RIVALS = ("clickhouse", "duckdb", "polars")


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of one question: the number of people, and for each system its times or why there are none."""

    question: Question
    people: int
    times: Mapping[str, Times]
    refused: Mapping[str, str]

    @property
    def times_faster(self) -> float | None:
        """Returns the time of the fastest rival as a multiple of Quanyu's."""
        rivals = [self.times[name].median for name in RIVALS if name in self.times]
        return min(rivals) / self.times["quanyu"].median if rivals and "quanyu" in self.times else None

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.question.title,
            "rule": self.question.rule,
            "mode": self.question.mode,
            "answer": self.people,
            **{f"{name}_ms": self.times[name].median if name in self.times else None for name in SYSTEMS},
            "spread_ms": {name: asdict(times) for name, times in self.times.items()},
            "refused": dict(self.refused),
        }


@dataclass(slots=True)
class Results:
    scale: Scale
    # By system: load_s, maintain_s, open_s, disk_bytes, peak_bytes (of loading), asking_bytes (peak while querying).
    load: dict[str, dict[str, float]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    served: Served | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": _machine(),
            "scale": asdict(self.scale),
            "questions": {asked.question.name: asked.as_json() for asked in self.asked},
            "load": self.load,
            "served": None if self.served is None else asdict(self.served),
        }


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": THREADS,
    }


def _processor() -> str:
    """Returns the model of the processor, if the operating system reports it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
