"""The benchmark runs on a tiny world, and all systems return the same people."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from loadtests.bench import figures, report, sets
from loadtests.bench.bench import run
from loadtests.bench.comparison import Difference, compare
from loadtests.bench.processes import Answer
from loadtests.bench.questions import QUESTIONS
from loadtests.bench.results import Results
from loadtests.bench.stores import load, world_of
from loadtests.bench.system import SYSTEMS
from loadtests.bench.world import SCALES

# ClickHouse is missing because its wheel is ten times as large as all others together; `make bench` installs it.
TESTED = ("quanyu", "duckdb", "polars", "pyroaring")
TINY = SCALES["tiny"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def results(root: Path) -> Results:
    """Returns the results of a run in which all systems agreed."""
    return run(TINY, root, TESTED, Console(quiet=True))


def test_all_systems_but_clickhouse_are_compared() -> None:
    assert set(SYSTEMS) - set(TESTED) == {"clickhouse"}


def test_each_question_matches_people_and_has_timings(results: Results) -> None:
    assert [asked.question for asked in results.asked] == list(QUESTIONS)
    for asked in results.asked:
        assert asked.people > 0
        assert set(asked.times) >= {"duckdb", "polars"}
        assert set(asked.times) | set(asked.refused) == set(TESTED)
        assert all(times.least <= times.median <= times.most for times in asked.times.values())


def test_quanyu_refuses_only_questions_that_need_missing_features(results: Results) -> None:
    refused = {asked.question.name: asked.refused["quanyu"] for asked in results.asked if "quanyu" in asked.refused}
    assert set(refused) <= {"funnel"}
    assert all("is not compiled yet" in reason for reason in refused.values())


def test_load_time_size_and_memory_are_measured(results: Results) -> None:
    assert set(results.load) == set(TESTED)
    for cost in results.load.values():
        assert all(cost[name] > 0 for name in ("load_s", "disk_bytes", "peak_bytes", "asking_bytes"))
    assert results.served is not None
    assert results.served.freshness.p50 > 0


def test_a_second_run_reuses_the_loaded_data(root: Path, results: Results) -> None:
    world = world_of(TINY, root, lambda done, of: pytest.fail("the world was made again"))
    cost = load("duckdb", world, lambda done, of: pytest.fail("it was loaded again"))
    assert cost.items() <= results.load["duckdb"].items()


def test_the_same_seed_generates_the_same_world(root: Path, results: Results, tmp_path: Path) -> None:
    here, there = (world_of(TINY, folder, lambda done, of: None) for folder in (root, tmp_path))
    assert pq.read_table(here.people).equals(pq.read_table(there.people))
    assert pq.read_table(here.events).equals(pq.read_table(there.events))


def test_the_report_and_figures_are_written(results: Results, tmp_path: Path) -> None:
    console = Console(record=True, quiet=True, width=100)
    report.show(results, console)
    document = tmp_path / "benchmarks.md"
    shutil.copy(Path(__file__).parents[2] / "docs/benchmarks.md", document)
    figures.draw([json.loads(json.dumps(results.as_json()))], document)
    figures.draw([json.loads(json.dumps(results.as_json()))], document)
    assert document.read_text().count("| Two orders in 30 days |") == 1
    assert (tmp_path / "benchmarks/ratios.svg").stat().st_size > 0
    assert (tmp_path / "benchmarks/growth.svg").stat().st_size > 0


def test_set_algebra_equals_croaring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "few.zip", "w") as archive:
        for number, ids in enumerate(("1,2,70000", "2,3", "70000,4000000")):
            archive.writestr(f"few.csv{number}.txt", ids)
    sets.main(tmp_path)
    said = capsys.readouterr().out
    assert "union" in said
    assert "difference" in said
    assert "geometric mean" in said


class FixedSystem:
    """A system that always answers with the same people."""

    def __init__(self, system: str, people: list[int]) -> None:
        self.system = system
        self._people = people

    def ask(self, question: Any) -> Answer:
        return Answer((len(self._people),), 1.0)

    def members(self, question: Any, parts: Any) -> list[Any]:
        return [np.array(self._people, dtype=np.uint32)]


@pytest.mark.parametrize(("people", "said"), [([1, 2], "3 people by one, 2 by other"), ([1, 2, 7], "such as 7")])
def test_a_difference_is_reported_with_its_question_and_people(people: list[int], said: str) -> None:
    fakes: list[Any] = [FixedSystem("one", [1, 2, 3]), FixedSystem("other", people)]
    with pytest.raises(Difference, match=said) as difference:
        compare(QUESTIONS[0], fakes, by_person=True)
    assert QUESTIONS[0].rule in str(difference.value)
