"""Draws docs/benchmarks/*.svg and writes the tables of docs/benchmarks.md from the results of runs.

python -m loadtests.bench.figures small.json full.json wide.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.bench.results import RIVALS
from loadtests.bench.system import SYSTEMS

DOCUMENT = Path("docs/benchmarks.md")
# Questions that read attributes only; their time grows with the number of people.
GROWING = ("profile", "quiet_kept", "five_clauses")

_COLOURS = dict(zip(SYSTEMS, ("#c0392b", "#e2a400", "#3b7dd8", "#2e8b57", "#7f7f7f"), strict=True))
_MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)

Run = Mapping[str, Any]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(files: tuple[Path, ...]) -> None:
    """Draws FILES, which `make bench JSON=FILE` has written at one or more scales."""
    draw([json.loads(file.read_text()) for file in files], DOCUMENT)


def draw(runs: Sequence[Run], document: Path) -> None:
    """Draws ratios and tables of the run with the most events, and growth over all runs.

    Writes the pictures to a folder next to the document.
    """
    runs = sorted(runs, key=lambda run: int(run["scale"]["people"]))
    largest = max(runs, key=lambda run: int(run["scale"]["events"]))
    folder = document.with_suffix("")
    folder.mkdir(exist_ok=True)
    plt.rcParams |= {"svg.hashsalt": "quanyu", "font.size": 9}
    _draw_ratios(largest, folder / "ratios.svg")
    _draw_growth(runs, folder / "growth.svg")
    text = document.read_text()
    figures = "\n".join(
        ["", _image_links(folder), _heading(largest), _time_table(largest), "", _cost_table(largest), "", ""]
    )
    document.write_text(_MARKED.sub(lambda marks: f"{marks[1]}{figures}{marks[2]}", text))


def _draw_ratios(run: Run, path: Path) -> None:
    """Draws one row for each question with one dot for each rival: its time as a multiple of Quanyu's."""
    asked = {name: q for name, q in run["questions"].items() if q["quanyu_ms"] is not None}
    figure, axes = plt.subplots(figsize=(7.5, 0.28 * len(asked) + 1.2), layout="constrained")
    for rival in RIVALS:
        rows = [row for row, q in enumerate(asked.values()) if q[f"{rival}_ms"] is not None]
        ratios = [q[f"{rival}_ms"] / q["quanyu_ms"] for q in asked.values() if q[f"{rival}_ms"] is not None]
        axes.scatter(ratios, rows, color=_COLOURS[rival], label=rival, zorder=2)
    axes.axvline(1, color=_COLOURS["quanyu"], label="quanyu", zorder=1)
    axes.set_yticks(range(len(asked)), [f"{q['title']}{_kept_suffix(q)}" for q in asked.values()])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("time as a multiple of Quanyu's (right of the line: slower)")
    axes.grid(axis="x", alpha=0.3)
    _save_figure(figure, axes, path)


def _draw_growth(runs: Sequence[Run], path: Path) -> None:
    """Draws one panel for each question with one line for each system: milliseconds over people."""
    figure, panels = plt.subplots(1, len(GROWING), figsize=(10, 3.2), sharey=True, layout="constrained")
    for axes, name in zip(panels, GROWING, strict=True):
        for system in SYSTEMS:
            known = [run for run in runs if run["questions"][name][f"{system}_ms"] is not None]
            people = [run["scale"]["people"] for run in known]
            ms = [run["questions"][name][f"{system}_ms"] for run in known]
            axes.plot(people, ms, "o-", color=_COLOURS[system], label=system)
        axes.set_title(runs[0]["questions"][name]["title"], fontsize=8)
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.set_xlabel("people")
    panels[0].set_ylabel("ms")
    _save_figure(figure, panels[0], path)


def _save_figure(figure: Figure, named: Axes, path: Path) -> None:
    figure.legend(*named.get_legend_handles_labels(), loc="outside upper center", ncols=len(SYSTEMS), frameon=False)
    # Omits the date, so that the same figures produce the same file.
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _image_links(folder: Path) -> str:
    return "\n\n".join(f"![{name}]({folder.name}/{name}.svg)" for name in ("ratios", "growth")) + "\n"


def _heading(run: Run) -> str:
    scale, machine = run["scale"], run["machine"]
    return (
        f"{scale['people']:,} people, {scale['events']:,} events; {machine['processor']}, "
        f"{machine['memory_bytes'] / 2**30:,.0f} GiB, {machine['threads']} threads. Milliseconds, median.\n"
    )


def _time_table(run: Run) -> str:
    systems = list(run["load"])
    rows = [["question", "people", *systems], ["---", *["---:"] * (len(systems) + 1)]]
    for question in run["questions"].values():
        times = (_format_ms(question, system) for system in systems)
        rows.append([f"{question['title']}{_kept_suffix(question)}", f"{question['answer']:,}", *times])
    return _table(rows)


def _cost_table(run: Run) -> str:
    columns = {"load_s": "load, s", "maintain_s": "kept, s", "open_s": "open, s"}
    sizes = {"disk_bytes": "disk, MB", "peak_bytes": "peak loading, MB", "asking_bytes": "peak querying, MB"}
    rows = [["system", *columns.values(), *sizes.values()], ["---", *["---:"] * (len(columns) + len(sizes))]]
    for system, cost in run["load"].items():
        numbers = [f"{cost[name]:,.1f}" for name in columns] + [f"{cost[name] / 1e6:,.0f}" for name in sizes]
        rows.append([system, *numbers])
    return _table(rows)


def _format_ms(question: Run, system: str) -> str:
    ms = question[f"{system}_ms"]
    return "" if ms is None else f"{ms:.3g}" if ms < 100 else f"{ms:,.0f}"


def _kept_suffix(question: Run) -> str:
    return " (kept)" if question["mode"] == "maintained" else ""


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()
