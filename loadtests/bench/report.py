"""Prints the results of the benchmark."""

from __future__ import annotations

from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadtests.bench.quanyu.served import Served
from loadtests.bench.results import RIVALS, Asked, Results
from loadtests.bench.timing import ROUNDS


def show(results: Results, console: Console) -> None:
    _show_times(results, console)
    _show_refusals(results, console)
    _show_costs(results, console)
    if results.served is not None:
        _show_served(results.served, console)


def _show_times(results: Results, console: Console) -> None:
    scale = results.scale
    console.print(f"{scale.people:,} people, {scale.events:,} events", style="bold", highlight=False)
    warm = _table(f"Milliseconds, median of {ROUNDS}", "question", "people", *results.load, "faster")
    cold = _table("Milliseconds, first time", "question", *results.load)
    for asked in results.asked:
        name = asked.question.name + " *" * (asked.question.mode == "maintained")
        medians = (_time(asked, system, "median") for system in results.load)
        warm.add_row(name, f"{asked.people:,}", *medians, _ratio(asked.times_faster))
        cold.add_row(name, *(_time(asked, system, "cold") for system in results.load))
    console.print(warm)
    console.print(f"* uses maintained data; faster: compared with the fastest of {', '.join(RIVALS)}", style="dim")
    console.print(cold)


def _time(asked: Asked, system: str, which: Literal["median", "cold"]) -> str:
    if system not in asked.times:
        return "rejected" if system == "quanyu" else ""
    return _ms(getattr(asked.times[system], which))


def _show_refusals(results: Results, console: Console) -> None:
    for asked in results.asked:
        if "quanyu" in asked.refused:
            console.print(Text(f"quanyu rejected {asked.question.name}: {asked.refused['quanyu']}"))


def _show_costs(results: Results, console: Console) -> None:
    names = ("system", "load s", "kept s", "open s", "disk MB", "peak MB loading", "querying")
    table = _table("Costs", *names)
    for system, cost in results.load.items():
        seconds = (f"{cost[name]:.2f}" for name in ("load_s", "maintain_s", "open_s"))
        sizes = (f"{cost[name] / 1e6:,.0f}" for name in ("disk_bytes", "peak_bytes", "asking_bytes"))
        table.add_row(system, *seconds, *sizes)
    console.print(table)


def _show_served(served: Served, console: Console) -> None:
    table = _table(
        f"Quanyu through gRPC, ms; {served.events_a_second:,.0f} ingested events/s",
        *("question", "idle", "engine part", "ingesting p50", "p99"),
    )
    for name, (whole, engine) in served.at_rest.items():
        live = served.while_ingesting.get(name)
        table.add_row(name, _ms(whole), _ms(engine), *((_ms(live.p50), _ms(live.p99)) if live else ()))
    console.print(table)
    fresh = served.freshness
    console.print(
        f"From acknowledgement to count: p50 {_ms(fresh.p50)} ms, p99 {_ms(fresh.p99)} ms of {fresh.samples} events",
        highlight=False,
    )


def _ms(ms: float) -> str:
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 10 else f"{ms:.2f}"


def _ratio(ratio: float | None) -> Text:
    if ratio is None:
        return Text("")
    return Text(f"{ratio:.1f}×", style="bold green" if ratio >= 1 else "bold red")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
