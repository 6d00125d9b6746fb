"""Runs the benchmark: prepares the data set, loads every system, compares the answers, then measures times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from loadtests.bench.comparison import compare
from loadtests.bench.processes import Answer, Process
from loadtests.bench.quanyu import served
from loadtests.bench.questions import QUESTIONS, Question
from loadtests.bench.results import Asked, Results
from loadtests.bench.stores import load, store_of, world_of
from loadtests.bench.timing import summarise, time_rounds
from loadtests.bench.world import Scale, Watch, World


def run(scale: Scale, root: Path, systems: Sequence[str], console: Console) -> Results:
    """Runs all systems. Creates missing data sets and stores in the folder `root`.

    Raises Difference if two systems answer differently.
    """
    results = Results(scale)
    with _progress_bar(console, "world") as watch:
        world = world_of(scale, root, watch)
    for system in systems:
        with _progress_bar(console, f"loading {system}") as watch:
            results.load[system] = load(system, world, watch)
    with ExitStack() as open_processes:
        processes = [open_processes.enter_context(Process(name, world, store_of(name, world))) for name in systems]
        _compare_and_time(processes, world, results, console)
    if "quanyu" in systems:
        with console.status("measuring quanyu through gRPC while events stream in"):
            results.served = served.measure(store_of("quanyu", world), scale)
    return results


def _compare_and_time(processes: Sequence[Process], world: World, results: Results, console: Console) -> None:
    """Compares the answers of all questions, and only then measures the times."""
    for process in processes:
        results.load[process.system]["open_s"] = process.open()
    with _progress_bar(console, "comparing answers") as watch:
        first = {}
        for number, question in enumerate(QUESTIONS, 1):
            first[question.name] = compare(question, processes, by_person=world.scale.by_person)
            watch(number, len(QUESTIONS))
    for process in processes:
        process.reset_peak()
    with _progress_bar(console, "measuring times") as watch:
        for number, question in enumerate(QUESTIONS, 1):
            results.asked.append(_time_question(question, first[question.name], processes))
            watch(number, len(QUESTIONS))
    for process in processes:
        results.load[process.system]["asking_bytes"] = process.peak_bytes()


def _time_question(question: Question, first: dict[str, Answer], processes: Sequence[Process]) -> Asked:
    answering = [process for process in processes if not first[process.system].refused]
    counts = first[answering[0].system].counts if answering else ()
    warm = time_rounds(question, answering, counts)
    return Asked(
        question=question,
        people=sum(counts),
        times={name: summarise(first[name].ms, ms) for name, ms in warm.items()},
        refused={name: answer.refused for name, answer in first.items() if answer.refused},
    )


@contextmanager
def _progress_bar(console: Console, what: str) -> Iterator[Watch]:
    """Shows a progress bar if the console is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, of: bars.update(task, completed=done, total=of)
