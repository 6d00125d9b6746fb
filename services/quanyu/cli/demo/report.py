"""Prints the results of the demo."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.cli.demo.results import CampaignRun, WorldFound


def show_title(console: Console, title: str) -> None:
    console.rule(title)


def show_segments(console: Console, found: WorldFound) -> None:
    table = _table("Segments and tags", "", "people", "of all", "ms")
    for name, segment in found.segments.items():
        share = segment.count / found.people if found.people else 0.0
        table.add_row(name, f"{segment.count:,}", f"{share:.1%}", f"{segment.milliseconds:.2f}")
    console.print(table)


def show_clauses(console: Console, previews: dict[str, tagging_pb2.PreviewRuleResponse]) -> None:
    """Prints the counts of each clause, for segments with more than one clause."""
    table = _table("Clause by clause", "segment", "people", "unknown", "clause")
    table.columns[3].justify = "left"
    for name, preview in previews.items():
        clauses = preview.sets[0].clauses
        for number, clause in enumerate(clauses if len(clauses) > 1 else ()):
            row = (Text(name if number == 0 else ""), f"{clause.matched:,}", f"{clause.unknown:,}", Text(clause.text))
            table.add_row(*row)
    console.print(table)


def show_explained(console: Console, name: str, rule: str, preview: tagging_pb2.PreviewRuleResponse) -> None:
    console.print(Text(f"\nWhat {name} says", style="bold"))
    console.print(Text(rule, style="cyan"))
    for sentence in preview.explanation:
        console.print(Text(f"  {sentence}"))
    if preview.basis.versions:
        console.print(Text(f"  with {', '.join(preview.basis.versions)}"))


def show_compared(console: Console, found: WorldFound, names: tuple[str, str], only: tuple[int, int], why: str) -> None:
    table = _table(f"{names[0]} is not {names[1]}", "", "people", "in this one only", "windows")
    table.columns[3].justify = "left"
    for name, alone in zip(names, only, strict=True):
        segment = found.segments[name]
        windows = (f"{w.text}: {_short(w.start, 'ever')} to {_short(w.end, 'ever')}" for w in segment.windows)
        table.add_row(name, f"{segment.count:,}", f"{alone:,}", Text("\n".join(windows)))
    console.print(table)
    console.print(Text(f"  {why}"))


def show_campaign(console: Console, campaign: CampaignRun) -> None:
    table = _table(f"A coupon to {campaign.segment}, a tenth held out", "step", "people left")
    for step, count in campaign.waterfall:
        table.add_row(step.replace("_", " "), f"{count:,}")
    table.add_row("delivered", f"{campaign.delivered:,}", style="bold")
    console.print(table)
    console.print(Text(f"  {campaign.file}\n  sha256 {campaign.sha256}"))


def show_summary(console: Console, worlds: dict[str, WorldFound], peak_memory_mb: float) -> None:
    console.rule("Measured")
    table = _table("", "world", "events", "people", "ingest to visible, s", "events/s", "slowest segment, ms")
    for name, found in worlds.items():
        slowest = max((segment.milliseconds for segment in found.segments.values()), default=0.0)
        rate = found.events / found.ingest_seconds if found.ingest_seconds else 0.0
        cells = (
            f"{found.events:,}",
            f"{found.people:,}",
            f"{found.ingest_seconds:.1f}",
            f"{rate:,.0f}",
            f"{slowest:.2f}",
        )
        table.add_row(name, *cells)
    console.print(table)
    console.print(f"Peak memory of server and demo together: {peak_memory_mb:,.0f} MB", highlight=False)


def show_next_steps(console: Console, data: Path, worlds: dict[str, WorldFound]) -> None:
    console.print(Text("\nWhere to look", style="bold"))
    for name, found in worlds.items():
        if found.campaign is not None:
            console.print(Text(f"  {name}: delivered file {found.campaign.file}"))
    example = "did purchase at least 30 times in last 30d"
    where = f"--data {data} --workspace complete_journey --as-of 2018-01-01"
    console.print(Text(f"  quanyu rule preview '{example}' {where}"))
    console.print(Text(f"  quanyu serve --data {data}    then grpcurl or any gRPC client: reflection is on"))


def _short(instant: str | None, otherwise: str) -> str:
    """Returns date and time to the minute, in the zone of the dataset."""
    return otherwise if instant is None else instant[:16].replace("T", " ")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
